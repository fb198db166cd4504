import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "../../src/base/deadline.ts";
import { readOptional } from "../../src/base/files.ts";
import { PID_FILE, type Build } from "../../src/build/history.ts";
import { NO_PINS, readPins, withPin, writePins } from "../../src/build/pins.ts";
import { JAMMY, NOBLE } from "../support/charm-builds.ts";
import { cloudOf, credentialsOf, relate } from "../support/charm-requirers.ts";
import { deployBuilder, UNIT, type Deployed } from "../support/charm.ts";

describe("actions", () => {
  let charm: Deployed;
  let cloud: string;

  const newest = async (): Promise<Build | undefined> => (await charm.builds()).at(-1);
  const byId = async (id: unknown): Promise<Build | undefined> =>
    (await charm.builds()).find((build) => build.id === id);
  const running = async (): Promise<Build | undefined> =>
    (await charm.builds()).find(({ state }) => state === "running" || state === "queued");
  /** The build that an action starts while nobody waits for it. */
  const started = async (): Promise<Build> =>
    await waitFor(AbortSignal.timeout(20_000), 20, async () => {
      const build = await running();
      const pid = build === undefined ? undefined : await readOptional(join(build.folder, PID_FILE));
      charm.builders.hold();
      return pid === undefined ? undefined : build;
    });
  /** Ends the running build well; its images are called after it. */
  const finish = async (): Promise<void> => {
    const build = await running();
    const images = (build?.request.images ?? []).map((spec) => ({
      spec,
      ids: { [cloud]: `${spec.base}-of-${build?.id}` },
    }));
    await charm.builders.end(build, { outcome: "done", images });
    await charm.wake();
  };
  const run = async (params: Record<string, unknown> = {}): Promise<Record<string, unknown>> => {
    const outcome = await charm.juju.runAction(UNIT, "run", params);
    charm.builders.hold();
    expect(outcome.status).toBe("completed");
    return outcome.results;
  };
  const publishedIds = (): string =>
    charm
      .publications()
      .at(-1)
      ?.words.concat([JSON.stringify(charm.publications().at(-1))])
      .join(" ") ?? "";

  beforeAll(async () => {
    charm = await deployBuilder({ config: { "base-image": "noble,jammy" } });
    await charm.builders.end(await newest(), { outcome: "done" });
    const credentials = credentialsOf(charm, "runner-a");
    cloud = cloudOf(credentials);
    await relate(charm, "runner-a", credentials);
  });
  afterAll(async () => await charm[Symbol.asyncDispose]());

  it("run joins a build that does all that is asked for", async () => {
    const { build } = await run({ bases: "jammy", clouds: "runner-a" });
    expect(build).toBe((await running())?.id);
    await finish();
  });

  it("run builds some bases for some clouds", async () => {
    const { build } = await run({ bases: "jammy", clouds: cloud });
    expect((await byId(build))?.request).toMatchObject({
      images: [JAMMY],
      targets: [cloud],
      reason: "action",
    });
  });

  it("run waits for the end of a build that does something else, under the id that it gave", async () => {
    const first = await run({ bases: "noble" });
    expect(await byId(first["build"])).toMatchObject({ state: "waiting", request: { images: [NOBLE] } });
    const second = await run();
    expect(second["build"]).toBe(first["build"]);
    expect((await byId(first["build"]))?.request).toMatchObject({ images: [NOBLE, JAMMY], targets: null });
    expect(charm.status()).toBe("maintenance building jammy-x64");
    await finish();
    expect(await running()).toMatchObject({ id: first["build"], request: { images: [NOBLE, JAMMY] } });
  });

  it("cancel gives up what waits, and ends what runs", async () => {
    const waiting = await run({ clouds: "runner-a", bases: "noble" });
    // the running one covers it
    expect(waiting["build"]).toBe((await running())?.id);
    await finish();
    const one = await run({ bases: "noble" });
    const other = await run({ bases: "jammy" });
    const action = await charm.juju.runAction(UNIT, "cancel", { build: other["build"] });
    expect(action).toMatchObject({
      status: "completed",
      results: { cancelled: other["build"], state: "ended" },
    });
    expect((await byId(other["build"]))?.state).toBe("cancelled");
    expect((await byId(one["build"]))?.state).toBe("queued");
    await finish();
    expect(await running()).toBeUndefined();
    const again = await charm.juju.runAction(UNIT, "cancel");
    expect(again).toMatchObject({ status: "failed", message: "no build runs or waits on this unit" });
    const unknown = await charm.juju.runAction(UNIT, "cancel", { build: "nope" });
    expect(unknown).toMatchObject({ status: "failed" });
    expect(unknown.message).toMatch(/^there is no build nope on image-builder\/0; the newest is \d/);
  });

  it("run with wait shows the steps, publishes and gives the images", async () => {
    const action = charm.juju.runAction(UNIT, "run", { wait: true, bases: "noble" });
    const build = await started();
    await charm.builders.end(build, {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloud]: "waited-for" } }],
    });
    const { status, results, log } = await action;
    await charm.settle();
    expect(status).toBe("completed");
    expect(results).toMatchObject({
      build: build.id,
      state: "done",
      images: { "noble-x64": { [cloud]: "waited-for" } },
    });
    expect(log).toContainEqual(expect.stringContaining(`noble-x64: image waited-for in ${cloud}, verified`));
    expect(publishedIds()).toContain("waited-for");
  });

  it("run with wait fails with the build's sentence", async () => {
    const action = charm.juju.runAction(UNIT, "run", { wait: true, bases: "noble" });
    const build = await started();
    await charm.builders.end(build, { outcome: { failed: "cannot launch the builder: no host" } });
    expect(await action).toMatchObject({
      status: "failed",
      message: `build ${build.id} failed: noble-x64: cannot launch the builder: no host`,
    });
    await charm.settle();
  });

  it.each([
    [
      "run",
      { bases: "focal" },
      /^parameter bases: "focal" is none of noble, jammy, which the option base-image names$/,
    ],
    ["run", { clouds: "mars" }, /^parameter clouds: "mars" is none of runner-a, runner-a-[0-9a-f]{8}$/],
    ["unpin", {}, /^nothing is pinned$/],
    ["unpin", { image: "noble" }, /^nothing is pinned of noble-x64$/],
    ["show-build", { build: "b" }, /^there is no build b on image-builder\/0; the newest is /],
  ])("%s with %j fails with one sentence", async (name, params, message) => {
    const action = await charm.juju.runAction(UNIT, name, params);
    expect(action.status).toBe("failed");
    expect(action.message).toMatch(message);
  });

  it("list-builds and show-build tell of builds, for people and for programs", async () => {
    const last = (await newest())?.id;
    const table = await charm.juju.runAction(UNIT, "list-builds");
    expect(table.results["output"]).toContain(last);
    const list = await charm.juju.runAction(UNIT, "list-builds", { format: "json" });
    const builds = JSON.parse(String(list.results["output"])) as { id: string }[];
    expect(builds.map(({ id }) => id)).toEqual((await charm.builds()).map(({ id }) => id));
    const shown = await charm.juju.runAction(UNIT, "show-build");
    expect(shown.results["output"]).toContain("cannot launch the builder: no host");
  });

  it("unpin publishes the newest image again, and a pin holds an older one through builds", async () => {
    const old = { spec: NOBLE, cloud, imageId: "held", sizeBytes: 1, hash: "sha512:00", buildId: "old" };
    const copies = [{ ...old, createdAt: "2026-11-23T00:00:00.000Z" }];
    await writePins(
      charm.paths.pinsFile,
      withPin(NO_PINS, { spec: NOBLE, buildId: "old", copies }, new Date()),
    );
    await charm.updateStatus();
    expect(publishedIds()).toContain("held");
    const { build } = await run({ bases: "noble" });
    await finish();
    expect(publishedIds()).not.toContain(`noble-of-${String(build)}`);
    const action = await charm.juju.runAction(UNIT, "unpin", { image: "noble" });
    await charm.settle();
    expect(action).toMatchObject({ status: "completed", results: { unpinned: "noble-x64" } });
    expect(publishedIds()).toContain(`noble-of-${String(build)}`);
    expect((await readPins(charm.paths.pinsFile)).pins).toEqual([]);
    expect((await stat(charm.paths.pinsFile)).mode & 0o777).toBe(0o600);
  });
});
