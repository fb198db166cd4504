/** The door of the test kit: opens a charm once, and runs events through it. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readOptional } from "../../src/base/files.ts";
import { readCharm } from "../juju/charm.ts";
import { checkBases, placeCharm } from "../juju/charm-files.ts";
import { commandNames } from "../juju/commands/run.ts";
import { versionOf, type Model } from "../juju/model.ts";
import { thisMachine } from "../juju/machine.ts";
import { linkHookCommands } from "../juju/programs.ts";
import { InconsistentScenarioError, inconsistencies } from "./consistency.ts";
import type { ScenarioEvent } from "./event.ts";
import type { RunResult } from "./result.ts";
import { emptyModel } from "./load.ts";
import { runEvent, type RunOptions } from "./run.ts";
import type { Setting } from "./setting.ts";
import type { State } from "./state.ts";

/** Which charm to run, and as whom. */
export interface ContextOptions {
  /** Folder of the charm. With a metadata.yaml it is linked, so that what the charm writes there stays; else copied. */
  readonly charm: string;
  /** Version of Juju, as `2.9.50`, `3.6.9`, `4.0.0`; 3.6.9 without it. */
  readonly version?: string;
  /** Name of the application; the charm's without it. */
  readonly application?: string;
  /** Number of the unit; 0 without it. */
  readonly unit?: number;
  /** Variables that the charm's process gets on top of Juju's; `PATH` goes behind the hook commands' folder. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A charm that is ready to run events. Dispose of it to end its processes and remove its folder. */
export interface Context extends AsyncDisposable {
  readonly setting: Setting;
  /** The name and UUID that the charm sees. */
  readonly model: Pick<Model, "name" | "uuid">;
  /**
   * Runs `event` in `state`, which stay as they are, and gives the next state with what was recorded. Throws
   * InconsistentScenarioError before anything runs, DispatchFailedError and ActionFailedError after. Runs may
   * overlap; each has a model of its own.
   */
  readonly run: (event: ScenarioEvent, state: State, options?: RunOptions) => Promise<RunResult>;
}

/** Opens `options.charm`; throws when it declares nothing that Juju would take. */
export async function openContext(options: ContextOptions): Promise<Context> {
  const version = options.version ?? "3.6.9";
  const named = { name: "scenario", uuid: "5f0c6a0e-57cc-4c0e-9d2b-3f3f1f5f7a01", version };
  const source = resolve(options.charm);
  const [major, minor] = versionOf(named);
  if (major >= 4) await checkBases(source);
  // an older Juju's refusal of a secret option is for the consistency check to tell
  const isOld = major < 3 || (major === 3 && minor < 3);
  const charm = await readCharm(source, isOld ? [3, 3] : [major, minor]);
  const application = options.application ?? charm.name;
  const setting: Setting = { charm, application, unit: `${application}/${options.unit ?? 0}`, version };

  await using cleanup = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "scenario-"));
  cleanup.defer(async () => await rm(folder, { recursive: true, force: true }));
  const folders = { charm: join(folder, "charm"), tools: join(folder, "tools") };
  const isLinked = (await readOptional(join(source, "metadata.yaml"))) !== undefined;
  await placeCharm(source, folders.charm, isLinked, new Set());
  await linkHookCommands(thisMachine, folders.tools, commandNames(emptyModel(named, folder)));

  const ending = new AbortController();
  const running = new Set<Promise<unknown>>();
  cleanup.defer(async () => {
    ending.abort(new Error("the test kit's context was disposed of"));
    await Promise.allSettled(running);
  });
  const owned = cleanup.move();
  let runs = 0;
  const run: Context["run"] = async (event, state, given = {}) => {
    const problems = inconsistencies(setting, event, state);
    if (problems.length > 0) throw new InconsistentScenarioError(event, problems);
    ending.signal.throwIfAborted();
    runs += 1;
    const agent = join(folder, String(runs));
    await mkdir(agent);
    const stage = {
      setting,
      model: named,
      environment: options.environment ?? {},
      folders: { ...folders, agent },
    };
    return await runEvent(stage, event, state, given, ending.signal);
  };
  return {
    setting,
    model: { name: named.name, uuid: named.uuid },
    async run(...parameters) {
      const result = run(...parameters);
      running.add(result);
      try {
        return await result;
      } finally {
        running.delete(result);
      }
    },
    async [Symbol.asyncDispose]() {
      await owned.disposeAsync();
    },
  };
}
