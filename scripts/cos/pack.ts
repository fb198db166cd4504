/** From rules and dashboards to the one file that hooks read. */
import { execFile } from "node:child_process";
import { glob, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import type { RuleGroup } from "../../src/charm/cos/alert-rules.ts";
import { DASHBOARD, DASHBOARD_FILE } from "./dashboard.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
/** The file that hooks read. */
export const PACKED_FILE = "src/charm/cos/packed.json";

/** What is in {@link PACKED_FILE}; each dashboard is JSON, compressed by xz and in base64. */
export interface Packed {
  readonly metricsRules: readonly RuleGroup[];
  readonly logRules: readonly RuleGroup[];
  readonly dashboards: readonly string[];
}

/** The groups of all rule files in `folder` (below the repository), in the order of the files' names. */
export async function readRules(folder: string): Promise<readonly RuleGroup[]> {
  const files = (await Array.fromAsync(glob("*.rules", { cwd: join(REPOSITORY, folder) }))).toSorted();
  const texts = await Promise.all(files.map(async (file) => await read(join(folder, file))));
  return texts.flatMap((text) => (load(text) as { readonly groups: readonly RuleGroup[] }).groups);
}

/** The text of the dashboard's file. */
export function dashboardText(): string {
  return `${JSON.stringify(DASHBOARD, null, 2)}\n`;
}

/** The file {@link PACKED_FILE} as it is now. */
export async function readPacked(): Promise<Packed> {
  return JSON.parse(await read(PACKED_FILE)) as Packed;
}

/** Writes dashboard and {@link PACKED_FILE}; gives their paths in the repository. */
export async function writePacked(): Promise<readonly string[]> {
  const text = dashboardText();
  await writeFile(join(REPOSITORY, DASHBOARD_FILE), text);
  const packed: Packed = {
    metricsRules: await readRules("src/prometheus_alert_rules"),
    logRules: await readRules("src/loki_alert_rules"),
    dashboards: [
      (await xz(["--compress", "-9", "--extreme"], Buffer.from(minified(text)))).toString("base64"),
    ],
  };
  await writeFile(join(REPOSITORY, PACKED_FILE), `${JSON.stringify(packed, null, 2)}\n`);
  return [DASHBOARD_FILE, PACKED_FILE];
}

/** The JSON that `packed` was made from. */
export async function unpack(packed: string): Promise<string> {
  return (await xz(["--decompress"], Buffer.from(packed, "base64"))).toString("utf8");
}

/** `json` without blanks between its parts. */
export function minified(json: string): string {
  return JSON.stringify(JSON.parse(json));
}

async function xz(words: readonly string[], input: Buffer): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    const child = execFile(
      "xz",
      ["--stdout", "--format=xz", ...words],
      { encoding: "buffer" },
      (error, stdout) => {
        if (error === null) resolve(stdout);
        else reject(error);
      },
    );
    child.stdin?.end(input);
  });
}

async function read(path: string): Promise<string> {
  return await readFile(join(REPOSITORY, path), "utf8");
}
