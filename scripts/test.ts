/**
 * Runs the test tiers that this machine can carry and says which it could not and why. Brings up the lab for
 * those that need it, and stops what it brought up. usage: test.ts [unit|charm|cloud|faults|e2e ...]
 * The last line is "N passed, N failed"; exit code 1 when something failed or a tier could not be prepared.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, formatDuration } from "../src/base/errors.ts";
import { labDown, labStatus, labUp, type LabKind } from "../lab/lab.ts";

interface Tier {
  readonly name: string;
  readonly lab: LabKind | null;
}

interface Count {
  passed: number;
  failed: number;
}

const TIERS: readonly Tier[] = [
  { name: "unit", lab: null },
  { name: "charm", lab: null },
  { name: "cloud", lab: "fake" },
  { name: "faults", lab: "fake" },
  { name: "e2e", lab: "real" },
];

async function main(): Promise<number> {
  const wanted = process.argv.slice(2);
  const tiers = wanted.length === 0 ? TIERS : TIERS.filter(({ name }) => wanted.includes(name));
  const total: Count = { passed: 0, failed: 0 };
  const unable = await whyNoLab();
  if (unable === null) {
    await installShellcheck();
    await unpackPrometheus();
  }
  for (const { name, lab } of tiers) {
    if (lab !== null && unable !== null) {
      console.log(`\n${name}: not run: ${unable}`);
      continue;
    }
    const began = performance.now();
    const { passed, failed } = lab === null ? await runTier(name) : await withLab(lab, () => runTier(name));
    total.passed += passed;
    total.failed += failed;
    console.log(
      `${name}: ${passed} passed, ${failed} failed in ${formatDuration(performance.now() - began)}`,
    );
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
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
 * The unit tier holds metrics, alerts and the dashboard's queries against Prometheus. Unpacked, not installed: the
 * package would start a daemon, and of what it depends on the tests need nothing.
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

async function withLab(kind: LabKind, run: () => Promise<Count>): Promise<Count> {
  const options = {
    log: (line: string) => console.log(`lab: ${line}`),
    signal: new AbortController().signal,
  };
  const before = await labStatus(kind);
  try {
    await labUp(kind, options);
  } catch (error) {
    console.log(`the lab "${kind}" did not come up: ${describe(error)}`);
    return { passed: 0, failed: 1 };
  }
  try {
    return await run();
  } finally {
    if (!before.processes.some(({ running }) => running)) await labDown(kind, { ...options, wipe: false });
  }
}

/** Runs one vitest project; a run that gives no result counts as one failure. */
async function runTier(name: string): Promise<Count> {
  console.log(`\n${name}`);
  const folder = await mkdtemp(join(tmpdir(), "image-builder-tests-"));
  const output = join(folder, "result.json");
  try {
    const parameters = ["run", "--project", name, "--reporter=default", "--reporter=json"];
    const code = await new Promise<number>((resolve, reject) => {
      const child = spawn("vitest", [...parameters, `--outputFile=${output}`], { stdio: "inherit" });
      child.on("error", reject);
      child.on("close", (exitCode) => resolve(exitCode ?? 1));
    });
    const text = await readFile(output, "utf8").catch(() => "");
    if (text === "") return { passed: 0, failed: 1 };
    const result = JSON.parse(text) as { numPassedTests: number; numFailedTests: number };
    // a broken file or an unhandled error fails the run without failing a test
    const failed = result.numFailedTests === 0 && code !== 0 ? 1 : result.numFailedTests;
    return { passed: result.numPassedTests, failed };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
