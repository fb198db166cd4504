/** What the story looks up, and what it sets off as others would. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { AppError } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/log.ts";
import type { Paths } from "../../src/build/paths.ts";
import { getImage, openCloud } from "../../src/openstack/index.ts";
import type { LabCloud } from "../lab.ts";
import type { Deployment } from "./deployment.ts";
import { UNIT } from "./model.ts";
import { REQUIRERS, type Bag, type Published } from "./told.ts";

/** What each requirer finds in the databag of `unit`; empty where there is nothing. */
export function bagsOf(deployment: Deployment, unit: string): readonly Bag[] {
  return REQUIRERS.map((relation) => {
    const { id = "", tags = "", images = "" } = deployment.databag(relation, unit);
    return { relation, id, tags, images };
  });
}

/** What the first unit publishes, with the images as the requirers' projects have them. */
export async function published(
  deployment: Deployment,
  lab: LabCloud,
  signal: AbortSignal,
): Promise<readonly Published[]> {
  const result: Published[] = [];
  for (const bag of bagsOf(deployment, UNIT)) {
    const { relation, id } = bag;
    const auth = { ...lab.credentials(relation), caFile: null };
    const cloud = await openCloud(relation, auth, { signal, log: silentLogger });
    using _closing = { [Symbol.dispose]: () => cloud.close() };
    result.push({ ...bag, image: await getImage(cloud, id, { signal }) });
  }
  return result;
}

/** The version of the runner that the lab's mirror has as its latest release. */
export async function newestRunner(lab: LabCloud): Promise<string> {
  const reply = await fetch(`${lab.runnerMirrorUrl}/releases/latest`, { redirect: "manual" });
  await reply.body?.cancel();
  return reply.headers.get("location")?.split("/v").at(-1) ?? "";
}

/** The proxy's lines of the gateway's log since `began`. */
export async function proxyLog(lab: LabCloud, began: Date): Promise<readonly string[]> {
  const log = await readFile(join(lab.directory, "log/gateway.out"), "utf8");
  return log.split("\n").flatMap((line) => {
    const [, at = "", text = ""] = /^(\S+) proxy (.*)$/.exec(line) ?? [];
    return at >= began.toISOString() ? [text] : [];
  });
}

/** Runs what the cron file says, as cron would, but for its question whether the hour has come. */
export async function fireCron(paths: Paths): Promise<void> {
  const line = (await readFile(paths.cronFile, "utf8")).split("\n").find((text) => text.includes(" root "));
  const command = line?.slice(line.indexOf("] && ") + "] && ".length).replaceAll("\\%", "%");
  if (command === undefined) throw new AppError(`${paths.cronFile} has no entry`);
  const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", SHELL: "/bin/sh" };
  await promisify(execFile)("/bin/sh", ["-c", command], { env });
}
