/** The fake Juju with one machine, on the lab's real cloud as that machine can reach it. */
import { randomUUID } from "node:crypto";
import { startFaultProxy, type FaultProxy } from "../faults/proxy.ts";
import { FakeJuju } from "../juju/index.ts";
import { gatewayOf, type LabCloud } from "../layout.ts";
import type { RemoteMachine } from "./remote-machine.ts";

/** How long the machine took for a hook, from its start there to its exit. */
export interface HookTime {
  /** As in `JUJU_HOOK_NAME`; empty for actions and commands of juju-exec. */
  readonly hook: string;
  readonly ms: number;
}

/** A controller whose units are on one machine. */
export interface MachineController extends AsyncDisposable {
  readonly juju: FakeJuju;
  readonly hooks: readonly HookTime[];
  /** All that Juju's log showed, a line each. */
  readonly log: readonly string[];
}

/** Starts it with the folder `directory` here for what the controller keeps. Dispose of it before the machine. */
export async function startController(directory: string, machine: RemoteMachine): Promise<MachineController> {
  const hooks: HookTime[] = [];
  const log: string[] = [];
  const juju = await FakeJuju.start({
    directory,
    model: { name: "lab", uuid: randomUUID() },
    version: "3.6.9",
    machine: {
      ...machine,
      async run(call) {
        const began = performance.now();
        const end = await machine.run(call);
        hooks.push({ hook: call.env["JUJU_HOOK_NAME"] ?? "", ms: performance.now() - began });
        return end;
      },
    },
    log: ({ level, module, message }) => log.push(`${level} ${module} ${message}`),
  });
  return { juju, hooks, log, [Symbol.asyncDispose]: async () => await juju[Symbol.asyncDispose]() };
}

/** The cloud `lab` as its own guests reach it: through a proxy on the gateway, for its APIs listen on this machine alone. */
export async function fromGuests(
  lab: LabCloud,
): Promise<{ readonly lab: LabCloud; readonly proxy: FaultProxy }> {
  const proxy = await startFaultProxy(lab.authUrl, { host: gatewayOf(lab.kind) });
  const { authUrl } = proxy;
  return {
    lab: { ...lab, authUrl, credentials: (project) => ({ ...lab.credentials(project), authUrl }) },
    proxy,
  };
}
