/** What callers of the fake hand in and get back. */
import type { ConfigValue } from "./charm.ts";
import type { Machine } from "./machine.ts";
import type { LogRecord } from "./commands/command.ts";

/** How to start the fake. */
export interface FakeJujuOptions {
  /** A folder of its own, short enough for unix sockets in it (about 60 characters); left behind at the end. */
  readonly directory: string;
  readonly model: { readonly name: string; readonly uuid: string };
  /** The agents' version: `2.9.50`, `3.6.9`, `4.0.0`. */
  readonly version: string;
  /** The one departure from Juju: variables that every charm process gets; `PATH` goes behind the tools' folder. */
  readonly extraEnvironment?: Readonly<Record<string, string>>;
  /** A second place for juju-exec, such as `<root>/usr/bin/juju-exec`. */
  readonly installExecAt?: string;
  /** Where agents and charms run, in the folders that Juju has there; without it on this machine, below `directory`. */
  readonly machine?: Machine;
  readonly log?: (record: LogRecord) => void;
  /** What `credential-get` gives to a trusted charm; without it an invented OpenStack account. */
  readonly cloud?: Readonly<Record<string, unknown>>;
}

/** How to deploy a charm. */
export interface DeployOptions {
  /** A charm's folder, or a `.charm` file. */
  readonly charm: string;
  readonly units?: number;
  readonly config?: Readonly<Record<string, ConfigValue>>;
  /** Link the charm's folder, which must hold a metadata.yaml, instead of copying it for each unit. */
  readonly link?: boolean;
  /** Put all units on this machine; without it each gets one of its own. */
  readonly machine?: string;
  /** Let the charm see the cloud's credential, as `juju trust` does. */
  readonly trust?: boolean;
  /** The files of its resources, by name. */
  readonly resources?: Readonly<Record<string, string>>;
}

/**
 * How an action ended. Results hold what the charm set, and `return-code`, `stdout`, `stderr`. One that was
 * cancelled is `aborted` when it ran, `cancelled` when it did not yet.
 */
export interface ActionOutcome {
  readonly status: "completed" | "failed" | "error" | "aborted" | "cancelled";
  readonly message: string;
  readonly results: Readonly<Record<string, unknown>>;
  readonly log: readonly string[];
}
