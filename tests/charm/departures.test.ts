/** A requirer that leaves: its account is forgotten, its images stay or go as `remove-departed-images` says. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "../../src/base/deadline.ts";
import { CREDENTIALS_FILE, listDepartures } from "../../src/build/departures.ts";
import { isRunning } from "../../src/build/process-id.ts";
import { NOBLE } from "../support/charm-builds.ts";
import {
  cloudOf,
  credentialsOf,
  relate,
  type Credentials,
  type Requirer,
} from "../support/charm-requirers.ts";
import { deployBuilder, type Deployed } from "../support/charm.ts";

describe("a requirer that leaves", () => {
  let charm: Deployed;
  let credentials: Credentials;
  let runner: Requirer;
  let stays: Requirer;
  const removals: number[] = [];

  beforeAll(async () => {
    charm = await deployBuilder();
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
    stays = await relate(charm, "stays", credentialsOf(charm, "stays"));
    await finish("image-s");
    credentials = credentialsOf(charm, "goes");
    runner = await relate(charm, "goes", credentials);
    await finish("image-1");
  });
  afterAll(async () => {
    for (const pid of removals) process.kill(pid, "SIGKILL");
    await charm[Symbol.asyncDispose]();
  });

  async function finish(id: string): Promise<void> {
    const ids = {
      [cloudOf(credentialsOf(charm, "stays"))]: `${id}-stays`,
      ...(credentials === undefined ? {} : { [cloudOf(credentials)]: id }),
    };
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids }],
    });
    await charm.wake();
  }

  const departures = async () => await listDepartures(charm.paths.departures);
  const identityOf = async (folder: string): Promise<string> =>
    (await readFile(join(folder, "pid"), "utf8")).trim();

  it("is gone from clouds.yaml, and by default its images stay", async () => {
    expect(runner.bag()["id"]).toBe("image-1");
    await runner.leave();
    expect(await readFile(charm.paths.cloudsFile, "utf8")).not.toContain(credentials.password);
    expect(await departures()).toEqual([]);
    const before = (await charm.builds()).length;
    runner = await relate(charm, "again", credentials);
    // what is there already is published at once
    expect(runner.bag()["id"]).toBe("image-1");
    expect(await charm.builds()).toHaveLength(before);
  });

  it("has its images removed by a process of their own when the operator wants it", async () => {
    await charm.configure({ "remove-departed-images": true });
    await runner.leave();
    const [departure] = await departures();
    expect(departure).toMatchObject({ cloud: cloudOf(credentials), owner: { unit: "image-builder/0" } });
    const folder = departure?.folder ?? "";
    const modes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).mode & 0o077);
    expect(new Set(await Promise.all(modes))).toEqual(new Set([0]));
    expect(await readFile(join(folder, CREDENTIALS_FILE), "utf8")).toContain(credentials.password);
    const identity = await identityOf(folder);
    removals.push(Number.parseInt(identity, 10));
    expect(await isRunning(identity)).toBe(true);
    const args = await readFile(`/proc/${Number.parseInt(identity, 10)}/cmdline`, "utf8");
    expect(args).toContain("remove-images");
    expect(args).not.toContain(credentials.password);
    expect(stays.bag()["id"]).toBe("image-1-stays");
  });

  it("is tried again with the schedule, not with every event", async () => {
    const folder = (await departures())[0]?.folder ?? "";
    const first = await identityOf(folder);
    process.kill(removals.splice(0, 1)[0] ?? 0, "SIGKILL");
    await waitFor(AbortSignal.timeout(10_000), 10, async () => ((await isRunning(first)) ? undefined : true));
    await charm.wake();
    await charm.updateStatus();
    expect(await identityOf(folder)).toBe(first);
    await charm.fire("run");
    const second = await identityOf(folder);
    removals.push(Number.parseInt(second, 10));
    expect(second).not.toBe(first);
    await finish("image-2");
  });

  it("that comes back is not given what was removed, but a new image", async () => {
    const before = (await charm.builds()).length;
    runner = await relate(charm, "back", credentials);
    expect(await departures()).toEqual([]);
    expect(runner.bag()["id"]).toBeUndefined();
    expect(await charm.builds()).toHaveLength(before + 1);
    expect((await charm.builds()).at(-1)?.request.reason).toBe("relation");
    await finish("image-3");
    expect(runner.bag()["id"]).toBe("image-3");
    expect(charm.failures()).toEqual([]);
  });

  it("with credentials that moved to another project keeps the old image until the new one is published", async () => {
    const moved = { ...credentials, project_name: "elsewhere" };
    await runner.write(moved);
    expect((await departures()).map(({ cloud }) => cloud)).toEqual([cloudOf(credentials)]);
    const folder = (await departures())[0]?.folder ?? "";
    expect(await readdir(folder)).not.toContain("pid");
    expect(runner.bag()["id"]).toBe("image-3");
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloudOf(moved)]: "image-4" } }],
    });
    await charm.wake();
    expect(runner.bag()["id"]).toBe("image-4");
    await charm.updateStatus();
    removals.push(Number.parseInt(await identityOf(folder), 10));
  });

  it("is forgotten when the operator changes their mind", async () => {
    await charm.configure({ "remove-departed-images": false });
    expect(await departures()).toEqual([]);
  });
});
