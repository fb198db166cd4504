/** A charm that has nothing to do, and the environment in which its `./dispatch` finds that out. */
import { mkdtemp, readFile, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NOBLE } from "../tests/support/charm-builds.ts";
import { cloudOf, credentialsOf, relate } from "../tests/support/charm-requirers.ts";
import { BUILDER_PASSWORD, deployBuilder, MODEL_UUID, UNIT } from "../tests/support/charm.ts";
import { addHistory } from "./history.ts";

const PROJECTS = ["runner-a", "runner-b", "runner-c"] as const;
const HOOK_COMMAND = fileURLToPath(new URL("hook-command.sh", import.meta.url));
/** All others are missing, and fail a dispatch that wants them. */
const HOOK_COMMANDS = ["secret-get", "status-set"] as const;

/** Dispose of it to end its processes and remove its files. */
export interface SettledCharm extends AsyncDisposable {
  /** Of an `update-status`, with hook commands that note the call and answer at once. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of the hook commands called so far. */
  readonly calls: () => Promise<readonly string[]>;
  /** Changes whenever the charm reconciles in full. */
  readonly lastReconcile: () => Promise<number>;
}

/**
 * Deploys the charm in `folder` under the fake Juju, with three relations that have all got their image and all the
 * builds that a unit remembers.
 */
export async function settledCharm(folder: string): Promise<SettledCharm> {
  await using cleanup = new AsyncDisposableStack();
  const charm = cleanup.use(await deployBuilder({ charm: folder, config: { schedule: "30 3 * * 1-5" } }));
  await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
  for (const project of PROJECTS) await relate(charm, project, credentialsOf(charm, project));
  const clouds = PROJECTS.map((project) => cloudOf(credentialsOf(charm, project)));
  const ids = Object.fromEntries(clouds.map((cloud) => [cloud, `${cloud}-image`]));
  const images = [{ spec: NOBLE, ids }];
  await charm.builders.end((await charm.builds()).at(-1), { outcome: "done", images });
  const [oldest] = await charm.builds();
  if (oldest === undefined) throw new Error("there is no build");
  await addHistory(charm.paths.builds, oldest);
  await charm.wake();
  await charm.updateStatus();

  const tools = await mkdtemp(join(tmpdir(), "bench-tools-"));
  cleanup.defer(async () => await rm(tools, { recursive: true, force: true }));
  for (const name of HOOK_COMMANDS) await symlink(HOOK_COMMAND, join(tools, name));
  const owned = cleanup.move();
  return {
    env: {
      PATH: `${tools}:/usr/bin:/bin`,
      LANG: "C.UTF-8",
      IMAGE_BUILDER_ROOT: charm.root,
      JUJU_UNIT_NAME: UNIT,
      JUJU_MODEL_NAME: "test",
      JUJU_MODEL_UUID: MODEL_UUID,
      JUJU_VERSION: "3.6.9",
      JUJU_CHARM_DIR: folder,
      // as the fake Juju has it: other proxies would be a reason to reconcile
      JUJU_CHARM_NO_PROXY: "127.0.0.1,localhost,::1",
      JUJU_DISPATCH_PATH: "hooks/update-status",
      JUJU_BENCH_PASSWORD: BUILDER_PASSWORD,
    },
    calls: async () => (await readFile(join(tools, "calls"), "utf8")).trim().split("\n"),
    lastReconcile: async () => (await stat(charm.paths.settledFile)).mtimeMs,
    async [Symbol.asyncDispose]() {
      await owned.disposeAsync();
    },
  };
}
