/**
 * An idle `update-status` of the whole charm with three relations and a past of twenty builds. The fake Juju brings the
 * packed charm there; what is timed is `./dispatch`, from the start of its shell to its end, with hook commands that
 * note the call and answer at once (`hook-command.sh`). It is held against the same Node.js with nothing to do, started
 * in the same round.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { BundledFile } from "../scripts/bundle/bundle.ts";
import { REPOSITORY } from "../tests/support/charm.ts";
import { packedCharm } from "./packed-charm.ts";
import { measure, median, ratio, type Timings, type Variant } from "./rounds.ts";
import { settledCharm } from "./settled-charm.ts";

const ROUNDS = 60;
const LIST_IMPORTS = fileURLToPath(new URL("../tests/support/list-imports.ts", import.meta.url));

/** Above these an idle hook costs more than it may. */
const LIMITS = { timesBareNode: 1.8, hookCommands: 4 } as const;
/** An idle hook has no use for them. */
const UNWANTED = [
  "pino",
  "pkgcloud",
  "@cypress/request",
  "request",
  "ssh2",
  "js-yaml",
  "commander",
  "node-cron",
];

/** Prints the figures; true when all are within the limits. */
export async function benchDispatch(): Promise<boolean> {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "bench-"));
  cleanup.defer(async () => await rm(directory, { recursive: true, force: true }));
  const { packed, node, bundled } = await packedCharm(directory);
  const charm = cleanup.use(await settledCharm(packed));
  const source = cleanup.use(await settledCharm(REPOSITORY));

  const { env } = charm;
  const variants: readonly Variant[] = [
    { name: "idle update-status", command: ["./dispatch"], cwd: packed, env },
    { name: "the same, from source", command: ["./dispatch"], cwd: REPOSITORY, env: source.env },
    { name: "node -e 0", command: [node, "-e", "0"], cwd: packed, env },
    { name: "python3 -c 0", command: ["python3", "-c", "0"], cwd: packed, env },
    { name: "/bin/true", command: ["/bin/true"], cwd: packed, env },
  ];
  const before = await charm.lastReconcile();
  const timings = await measure(variants, ROUNDS);
  report(timings);
  const times = ratio(timings, "idle update-status", "node -e 0");

  const calls = await charm.calls();
  const perDispatch = calls.length / calls.filter((name) => name === "status-set").length;
  console.log(`hook commands: ${perDispatch} (${[...new Set(calls)].join(", ")})`);
  const packages = await packagesLoaded(node, packed, env, bundled);
  console.log(`packages in the files loaded: ${packages.join(", ")}`);

  const problems: string[] = [];
  if ((await charm.lastReconcile()) !== before) problems.push("what was measured was no idle hook");
  if (!(times <= LIMITS.timesBareNode)) {
    problems.push(`${times.toFixed(2)} x bare node, the limit is ${LIMITS.timesBareNode}`);
  }
  if (!(perDispatch <= LIMITS.hookCommands)) {
    problems.push(`${perDispatch} hook commands, the limit is ${LIMITS.hookCommands}`);
  }
  for (const name of packages) if (UNWANTED.includes(name)) problems.push(`loads ${name}`);
  for (const problem of problems) console.log(`TOO MUCH: ${problem}`);
  if (problems.length === 0) console.log("within the limits");
  return problems.length === 0;
}

function report(timings: Timings): void {
  console.log(`${ROUNDS} interleaved rounds; load ${(loadavg()[0] ?? 0).toFixed(1)} at their end`);
  for (const [name, ms] of timings) {
    const figure = `median ${median(ms).toFixed(1)} ms, least ${Math.min(...ms).toFixed(1)}`;
    const toNode = ratio(timings, name, "node -e 0").toFixed(2);
    const toPython = ratio(timings, name, "python3 -c 0").toFixed(2);
    console.log(`${name.padEnd(22)} ${figure.padEnd(30)} x node ${toNode}, x python3 ${toPython}`);
  }
}

/** The npm packages in the files that the packed charm's dispatch loads. */
async function packagesLoaded(
  node: string,
  packed: string,
  env: Readonly<Record<string, string>>,
  bundled: readonly BundledFile[],
): Promise<readonly string[]> {
  const main = pathToFileURL(join(packed, "dist/charm/main.mjs")).href;
  const { stdout } = await promisify(execFile)(node, [LIST_IMPORTS, main], { cwd: packed, env });
  const loaded = stdout.split("\n").filter((url) => url.startsWith("file://"));
  const files = loaded.map((url) => relative(join(packed, "dist"), fileURLToPath(url)));
  if (!files.includes("charm/main.mjs")) throw new Error("cannot list what the charm loads: it was not run");
  const packages = bundled.filter(({ file }) => files.includes(file)).flatMap((file) => file.packages);
  return [...new Set(packages)].toSorted();
}
