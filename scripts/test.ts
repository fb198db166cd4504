/**
 * Runs the test tiers that this machine can carry and says which it could not and why. Brings up the lab for
 * those that need it, and stops what it brought up. usage: test.ts [unit|charm|long|cloud|faults|e2e ...]
 * The last line is "N passed, N failed"; exit code 1 when something failed or a tier could not be prepared.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, formatDuration } from "../src/base/errors.ts";
import { OUTCOME_FILE, type Outcome } from "./test/reporter.ts";
import { labCrashes, labDown, labStatus, labUp, type LabKind } from "../lab/lab.ts";

interface Tier {
  readonly name: string;
  readonly lab: LabKind | null;
}

const TIERS: readonly Tier[] = [
  { name: "unit", lab: null },
  { name: "charm", lab: null },
  { name: "long", lab: null },
  { name: "cloud", lab: "fake" },
  { name: "faults", lab: "fake" },
  { name: "e2e", lab: "real" },
];

const REPORTER = fileURLToPath(new URL("test/reporter.ts", import.meta.url));

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort(name));

async function main(): Promise<number> {
  const wanted = process.argv.slice(2);
  const tiers = wanted.length === 0 ? TIERS : TIERS.filter(({ name }) => wanted.includes(name));
  let passed = 0;
  const failures: string[] = [];
  const unable = await whyNoLab();
  if (unable === null) {
    await installShellcheck();
    await unpackPrometheus();
  }
  for (const { name, lab } of tiers) {
    if (stop.signal.aborted) {
      failures.push(`${name}: not run: ended by ${String(stop.signal.reason)}`);
      continue;
    }
    if (lab !== null && unable !== null) {
      console.log(`\n${name}: not run: ${unable}`);
      continue;
    }
    const began = performance.now();
    const outcome = lab === null ? await runTier(name) : await withLab(lab, () => runTier(name));
    passed += outcome.passed;
    failures.push(...outcome.failures.map((line) => `${name}: ${line}`));
    const took = formatDuration(performance.now() - began);
    console.log(`${name}: ${outcome.passed} passed, ${outcome.failures.length} failed in ${took}`);
  }
  // once more at the end: of an hour's output often the last page alone is kept
  if (failures.length > 0) console.log(`\nfailed:\n${failures.map((line) => `  ${line}`).join("\n")}`);
  console.log(`\n${passed} passed, ${failures.length} failed`);
  return failures.length === 0 && passed > 0 ? 0 : 1;
}

/** Null on a machine that the lab can be brought up on. */
async function whyNoLab(): Promise<string | null> {
  if (process.getuid?.() !== 0) return "the lab needs root";
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  const isBookworm = /^ID=debian$/m.test(release) && /^VERSION_ID="12"$/m.test(release);
  return isBookworm ? null : "the lab needs Debian 12";
}

/** The unit tier holds the recipe against shellcheck. */
async function installShellcheck(): Promise<void> {
  if (await succeeds("dpkg-query", ["--show", "--showformat=", "shellcheck"])) return;
  console.log("installing shellcheck");
  await succeeds("apt-get", ["-q", "update"]);
  await succeeds("apt-get", ["-q", "-y", "install", "--no-install-recommends", "shellcheck"]);
}

/**
 * The tiers unit and long hold metrics, alerts and the dashboard's queries against Prometheus. Unpacked, not
 * installed: the package would start a daemon, and of what it depends on the tests need nothing.
 */
async function unpackPrometheus(): Promise<void> {
  const folder = fileURLToPath(new URL("../node_modules/.cache/debian", import.meta.url));
  if (existsSync(join(folder, "usr/bin/promtool"))) return;
  console.log("unpacking prometheus");
  const download = await mkdtemp(join(tmpdir(), "debian-"));
  try {
    const fetched =
      (await succeeds("apt-get", ["-q", "download", "prometheus"], download)) ||
      ((await succeeds("apt-get", ["-q", "update"])) &&
        (await succeeds("apt-get", ["-q", "download", "prometheus"], download)));
    const [file] = fetched ? await readdir(download) : [];
    if (file === undefined)
      return console.log("cannot download prometheus; the tests that need it will say so");
    await mkdir(folder, { recursive: true });
    await succeeds("dpkg-deb", ["--extract", join(download, file), folder]);
  } finally {
    await rm(download, { recursive: true, force: true });
  }
}

async function succeeds(file: string, parameters: readonly string[], cwd = "/"): Promise<boolean> {
  return await new Promise((resolve) => {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const child = spawn(file, parameters, { cwd, stdio: ["ignore", "ignore", "inherit"], env });
    child.on("error", () => resolve(false));
    child.on("close", (code) => resolve(code === 0));
  });
}

async function withLab(kind: LabKind, run: () => Promise<Outcome>): Promise<Outcome> {
  const log = (line: string): void => console.log(`lab: ${line}`);
  const before = await labStatus(kind);
  try {
    await labUp(kind, { log, signal: stop.signal });
  } catch (error) {
    return { passed: 0, failures: [`the lab "${kind}" did not come up: ${describe(error)}`] };
  }
  try {
    const known = new Set(await labCrashes(kind));
    const outcome = await run();
    const crashes = (await labCrashes(kind)).filter((line) => !known.has(line));
    return {
      ...outcome,
      failures: [...outcome.failures, ...crashes.map((line) => `crash in the lab: ${line}`)],
    };
  } finally {
    if (!before.processes.some(({ running }) => running))
      await labDown(kind, { log, signal: new AbortController().signal, wipe: false });
  }
}

/** Runs one vitest project; a run that gives no result counts as one failure. */
async function runTier(name: string): Promise<Outcome> {
  console.log(`\n${name}`);
  const folder = await mkdtemp(join(tmpdir(), "image-builder-tests-"));
  const file = join(folder, "outcome.json");
  try {
    const parameters = ["run", "--project", name, "--reporter=default", `--reporter=${REPORTER}`];
    const env = { ...process.env, [OUTCOME_FILE]: file };
    const code = await new Promise<number>((resolve, reject) => {
      const child = spawn("vitest", parameters, { stdio: "inherit", env });
      stop.signal.addEventListener("abort", () => child.kill("SIGTERM"));
      child.on("error", reject);
      child.on("close", (exitCode) => resolve(exitCode ?? 1));
    });
    const text = await readFile(file, "utf8").catch(() => "");
    if (text === "") return { passed: 0, failures: [`vitest ended with exit code ${code} without a result`] };
    const outcome = JSON.parse(text) as Outcome;
    if (outcome.failures.length > 0 || code === 0) return outcome;
    return { ...outcome, failures: [`vitest ended with exit code ${code}: see above`] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
