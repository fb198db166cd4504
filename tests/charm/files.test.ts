import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { expect, it } from "vitest";
import { isMissing } from "../../src/base/files.ts";
import { credentialsOf, relate } from "../support/charm-requirers.ts";
import { deployBuilder } from "../support/charm.ts";

const STATE = "/var/lib/github-runner-image-builder";
const UNIT = `${STATE}/image-builder-0`;

/** All that the charm and a build may write, with its mode in octal. What holds secrets, or may, is root's alone. */
const MODES: Readonly<Record<string, string>> = {
  "/etc/cron.d/github-runner-image-builder-image-builder-0": "644",
  "/etc/logrotate.d/github-runner-image-builder": "644",
  "/run/github-runner-image-builder": "700",
  "/run/github-runner-image-builder/image-builder-0": "700",
  "/run/github-runner-image-builder/image-builder-0/<id>.json": "600",
  "/run/github-runner-image-builder/image-builder-0/proxies-<id>.json": "600",
  "/var/cache/github-runner-image-builder": "755",
  [STATE]: "711",
  [`${STATE}/metrics`]: "755",
  [`${STATE}/metrics/image-builder-0.prom`]: "644",
  [UNIT]: "700",
  [`${UNIT}/builds`]: "700",
  [`${UNIT}/builds/<id>`]: "700",
  [`${UNIT}/builds/<id>/build.log`]: "600",
  [`${UNIT}/builds/<id>/journal.jsonl`]: "600",
  [`${UNIT}/builds/<id>/pid`]: "600",
  [`${UNIT}/builds/<id>/request.json`]: "600",
  [`${UNIT}/ca.pem`]: "644",
  [`${UNIT}/clouds.yaml`]: "600",
  [`${UNIT}/digest-key`]: "600",
  [`${UNIT}/ledger.json`]: "600",
  [`${UNIT}/published.json`]: "600",
  [`${UNIT}/request.json`]: "600",
  [`${UNIT}/schedule.json`]: "600",
  [`${UNIT}/settled.json`]: "600",
  "/var/log/github-runner-image-builder": "750",
};

/** What is ours below `root`, with its mode; ids of builds are left out of the names. */
async function modesBelow(root: string): Promise<Readonly<Record<string, string>>> {
  const modes: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path
      .slice(root.length)
      .replace(/\d{8}t\d{9}-[0-9a-f]{4}|(?<=proxies-)[0-9a-f]{12}/g, "<id>");
    // compiled code is Node's
    if (
      !name.includes("github-runner-image-builder") ||
      name.startsWith("/var/cache/github-runner-image-builder/")
    )
      continue;
    try {
      modes[name] = ((await stat(path)).mode & 0o7777).toString(8);
    } catch (error) {
      // a temporary file, or the secrets that the builder has read
      if (!isMissing(error)) throw error;
    }
  }
  return modes;
}

it("every file that the charm and a build write is in the table, with its mode", async () => {
  await using charm = await deployBuilder({
    proxy: "http://site:proxy-S3cret@127.0.0.1:1",
    config: {
      "script-url": "http://script.example/run.sh",
      "script-secret": "token=a-secret-of-the-script",
      "ca-certificates": rootCertificates[0] ?? "",
    },
  });
  await relate(charm, "runner-a", credentialsOf(charm, "runner-a"));
  const found = await modesBelow(charm.root);
  const pinned = Object.keys(found).map((name) => [name, MODES[name] ?? "not in the table"]);
  expect(Object.fromEntries(pinned)).toEqual(found);
  expect(Object.keys(found)).toEqual(
    expect.arrayContaining([
      `${UNIT}/ca.pem`,
      `${UNIT}/clouds.yaml`,
      `${UNIT}/builds/<id>/request.json`,
      `${UNIT}/digest-key`,
    ]),
  );
});
