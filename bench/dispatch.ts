/**
 * An idle `update-status` of the whole charm with three relations. The fake Juju brings the packed charm there;
 * what is timed is `./dispatch` with hook commands that record the call and answer at once (shell scripts).
 */
import { execFile } from "node:child_process";
import { mkdtemp, realpath, rm, stat } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { stageCharm } from "../scripts/bundle/stage.ts";
import { NOBLE } from "../tests/support/charm-builds.ts";
import { cloudOf, credentialsOf, relate } from "../tests/support/charm-requirers.ts";
import { BUILDER_PASSWORD, deployBuilder, MODEL_UUID, REPOSITORY, UNIT } from "../tests/support/charm.ts";
import { createHookTools } from "../tests/support/hook-tools.ts";
import { measure, median, ratio, type Variant } from "./rounds.ts";

const ROUNDS = 30;
const PROJECTS = ["runner-a", "runner-b", "runner-c"] as const;
const LIST_IMPORTS = fileURLToPath(new URL("../tests/support/list-imports.ts", import.meta.url));

/** Above these an idle hook costs more than it may. */
const LIMITS = { timesBareNode: 2.2, hookCommands: 4 } as const;
/** Packages that an idle hook has no use for. */
const UNWANTED = ["pkgcloud", "request", "@cypress/request", "ssh2", "js-yaml", "commander", "node-cron"];

/** Prints the figures; true when all are within the limits. */
export async function benchDispatch(): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), "bench-"));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(async () => await rm(directory, { recursive: true, force: true }));
  const node = await realpath(process.execPath);
  const packed = join(directory, "charm");
  const bundled = await stageCharm(packed, node);

  const charm = cleanup.use(await deployBuilder({ charm: packed }));
  await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
  for (const project of PROJECTS) await relate(charm, project, credentialsOf(charm, project));
  const clouds = PROJECTS.map((project) => cloudOf(credentialsOf(charm, project)));
  const ids = Object.fromEntries(clouds.map((cloud) => [cloud, `${cloud}-image`]));
  await charm.builders.end((await charm.builds()).at(-1), {
    outcome: "done",
    images: [{ spec: NOBLE, ids }],
  });
  await charm.wake();
  await charm.updateStatus();

  const tools = cleanup.use(await createHookTools());
  await tools.reply("secret-get *", JSON.stringify({ password: BUILDER_PASSWORD }));
  const env = {
    ...tools.environment({
      IMAGE_BUILDER_ROOT: charm.root,
      JUJU_UNIT_NAME: UNIT,
      JUJU_MODEL_UUID: MODEL_UUID,
      JUJU_CHARM_NO_PROXY: "127.0.0.1,localhost,::1",
      JUJU_DISPATCH_PATH: "hooks/update-status",
    }),
  };
  const variants: readonly Variant[] = [
    { name: "idle update-status", command: ["./dispatch"], cwd: packed, env },
    { name: "the same, from source", command: ["./dispatch"], cwd: REPOSITORY, env },
    { name: "node -e 0", command: [node, "-e", "0"], cwd: packed, env },
    { name: "python3 -c 0", command: ["python3", "-c", "0"], cwd: packed, env },
    { name: "/bin/true", command: ["/bin/true"], cwd: packed, env },
  ];
  const before = await stat(charm.paths.settledFile);
  const load = loadavg()[0] ?? 0;
  const timings = await measure(variants, ROUNDS);
  const floor = median(timings.get("/bin/true") ?? []);

  console.log(`median of ${ROUNDS} interleaved rounds, load ${load.toFixed(1)}; /bin/true taken off`);
  for (const { name } of variants) {
    const ms = timings.get(name) ?? [];
    const figure = `${(median(ms) - floor).toFixed(1).padStart(6)} ms (least ${(Math.min(...ms) - floor).toFixed(1)})`;
    const toNode = ratio(timings, name, "node -e 0", floor).toFixed(2);
    const toPython = ratio(timings, name, "python3 -c 0", floor).toFixed(2);
    console.log(`${name.padEnd(22)} ${figure.padEnd(24)} ${toNode} x node -e 0, ${toPython} x python3 -c 0`);
  }

  const recorded = (await tools.lines()).map((line) => line.split(" ")[0] ?? "");
  const dispatches = recorded.filter((command) => command === "status-set").length;
  const perDispatch = recorded.length / dispatches;
  console.log(`hook commands: ${perDispatch} (${[...new Set(recorded)].join(", ")})`);
  const packages = await packagesLoaded(node, packed, env, bundled);
  console.log(`packages loaded: ${packages.join(", ") || "none"}`);

  const isIdle = (await stat(charm.paths.settledFile)).mtimeMs === before.mtimeMs;
  const times = ratio(timings, "idle update-status", "node -e 0", floor);
  const problems = [
    ...(isIdle && dispatches > 0 ? [] : ["what was measured was no idle hook"]),
    ...(times <= LIMITS.timesBareNode
      ? []
      : [`${times.toFixed(2)} x bare node, the limit is ${LIMITS.timesBareNode}`]),
    ...(perDispatch <= LIMITS.hookCommands
      ? []
      : [`${perDispatch} hook commands, the limit is ${LIMITS.hookCommands}`]),
    ...packages.filter((name) => UNWANTED.includes(name)).map((name) => `loads ${name}`),
  ];
  for (const problem of problems) console.log(`TOO MUCH: ${problem}`);
  if (problems.length === 0) console.log("within the limits");
  return problems.length === 0;
}

/** The npm packages in the files that the packed charm's dispatch loads. */
async function packagesLoaded(
  node: string,
  packed: string,
  env: Readonly<Record<string, string>>,
  bundled: Awaited<ReturnType<typeof stageCharm>>,
): Promise<readonly string[]> {
  const main = join(packed, "dist/charm/main.mjs");
  const { stdout } = await promisify(execFile)(node, [LIST_IMPORTS, `file://${main}`], { cwd: packed, env });
  const loaded = stdout.split("\n").filter((url) => url.startsWith("file://"));
  const files = loaded.map((url) => relative(join(packed, "dist"), fileURLToPath(url)));
  if (!files.includes("charm/main.mjs")) throw new Error("cannot list what the charm loads: it was not run");
  const packages = bundled.filter(({ file }) => files.includes(file)).flatMap((file) => file.packages);
  return [...new Set(packages)].toSorted();
}
