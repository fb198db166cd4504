/** A unit of the Python charm that is refreshed to this one, in place. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exists } from "../../../src/base/files.ts";
import { readTraces } from "../../../src/build/python-charm/traces.ts";
import { JAMMY, NOBLE } from "../../support/charm-builds.ts";
import { UNIT, type Deployed } from "../../support/charm.ts";
import { pythonBag, type PythonImage } from "../../support/python-bag.ts";
import { deployPython, LOGGED } from "../../support/python-charm.ts";

const NOBLE_IMAGE: PythonImage = { id: "11111111-aaaa-4000-8000-000000000001", tags: "x64,noble" };
const JAMMY_IMAGE: PythonImage = { id: "11111111-aaaa-4000-8000-000000000002", tags: "x64,jammy" };

const mark = ({ juju }: Deployed): string => join(juju.charmDirectory(UNIT), ".unit-state.db");

describe("a refresh from the Python charm", () => {
  it("leaves the databag to the letter, adopts what is in it, and builds with the schedule", async () => {
    await using before = await deployPython([NOBLE_IMAGE]);
    const { charm, runner, cloud } = before;
    expect(runner.bag()).toEqual(pythonBag([NOBLE_IMAGE]));
    const from = await before.refresh();
    const [adoption, ...others] = await charm.builds();
    expect(others).toEqual([]);
    expect(adoption?.request).toMatchObject({ kind: "adopt", reason: "switch" });
    expect(JSON.parse(await readFile(join(adoption?.folder ?? "", "request.json"), "utf8"))).toMatchObject({
      sources: [{ spec: NOBLE, cloud, imageId: NOBLE_IMAGE.id }],
    });
    expect(charm.status()).toBe("maintenance adopting noble-x64");
    await charm.builders.end(adoption, {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloud]: NOBLE_IMAGE.id } }],
    });
    await charm.wake();
    await charm.updateStatus();
    expect(charm.status()).toMatch(
      /^active noble-x64 of .* \(less than 1 h old\), published to 1 of 1 relations, next build /,
    );
    expect(await charm.builds()).toHaveLength(1);
    expect(charm.publications(from)).toEqual([]);
    expect(runner.bag()).toEqual(pythonBag([NOBLE_IMAGE]));
    expect(JSON.parse(await readFile(charm.paths.publishedFile, "utf8"))).toEqual({ ids: [NOBLE_IMAGE.id] });

    await charm.fire("run");
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloud]: "image-of-ours" } }],
    });
    await charm.wake();
    expect(charm.publications(from)).toHaveLength(1);
    expect(runner.bag()).toEqual(pythonBag([{ ...NOBLE_IMAGE, id: "image-of-ours" }]));
    expect(charm.failures()).toEqual([]);
  });

  it("removes the old files, secrets above all, and keeps what they prove", async () => {
    await using before = await deployPython([NOBLE_IMAGE]);
    const { charm, files } = before;
    const strangers = ["home/ubuntu/notes.img", "home/ubuntu/.ssh/authorized_keys", "etc/cron.d/other"].map(
      (path) => join(charm.root, path),
    );
    for (const stranger of strangers) await writeFile(stranger, "not ours\n");
    expect(await Promise.all([...files, mark(charm)].map(exists))).not.toContain(false);
    await before.refresh();
    for (const path of [...files, mark(charm)]) expect([path, await exists(path)]).toEqual([path, false]);
    for (const stranger of strangers) expect(await readFile(stranger, "utf8")).toBe("not ours\n");
    expect(await readTraces(charm.paths.publishedFile)).toEqual({
      images: [LOGGED.image, LOGGED.rotatedImage],
      snapshots: [LOGGED.snapshot],
      servers: [LOGGED.server],
      publicKey: expect.stringMatching(/^ssh-rsa AAAAB3[A-Za-z0-9+/=]+$/),
    });
    const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
    expect(await modeOf(join(charm.paths.state, "python-charm.json"))).toBe(0o600);
    expect(await modeOf(charm.paths.logs)).toBe(0o750);
    expect(await modeOf(charm.paths.cloudsFile)).toBe(0o600);
    expect(await readFile(charm.paths.cronFile, "utf8")).toContain("JUJU_DISPATCH_PATH=run");
    expect(charm.log().join("\n")).not.toContain("old-S3cret");
    expect(charm.failures()).toEqual([]);
  });

  it("takes the secrets away although the options are wrong, and adopts when they are mended", async () => {
    await using before = await deployPython([NOBLE_IMAGE], { config: { architecture: null } });
    const { charm, runner, files } = before;
    await before.refresh();
    expect(charm.status()).toMatch(/^blocked architecture: set it to one of/);
    for (const path of files) expect([path, await exists(path)]).toEqual([path, false]);
    expect(await charm.builds()).toEqual([]);
    await charm.configure({ architecture: "X64 " });
    expect((await charm.builds()).map(({ request }) => request.kind)).toEqual(["adopt"]);
    expect(runner.bag()).toEqual(pythonBag([NOBLE_IMAGE]));
  });

  it("takes the options as the Python charm took them", async () => {
    const config = {
      architecture: " AMD64",
      "base-image": "Noble, 22.04,noble",
      "build-interval": 23,
      "revision-history-limit": 2,
      "runner-version": "2.330.0",
      "script-url": "https://scripts.example/setup.sh",
      "script-secret": "TOKEN=abc OTHER=def",
    };
    await using before = await deployPython([NOBLE_IMAGE, JAMMY_IMAGE, NOBLE_IMAGE], { config });
    const { charm, runner } = before;
    const bag = runner.bag();
    const from = await before.refresh();
    const [adoption] = await charm.builds();
    expect(adoption?.request).toMatchObject({ kind: "adopt", images: [NOBLE, JAMMY] });
    await charm.builders.end(adoption, {
      outcome: "done",
      images: [
        { spec: NOBLE, ids: { [before.cloud]: NOBLE_IMAGE.id } },
        { spec: JAMMY, ids: { [before.cloud]: JAMMY_IMAGE.id } },
      ],
    });
    await charm.wake();
    expect(await charm.builds()).toHaveLength(1);
    // a release that is named twice is published twice by the Python charm, and stays so
    expect(charm.publications(from)).toEqual([]);
    expect(runner.bag()).toEqual(bag);
    expect(charm.failures()).toEqual([]);
  });

  it("builds at once what the options ask for and the Python charm had not built yet", async () => {
    await using before = await deployPython([JAMMY_IMAGE], { config: { "base-image": "noble,jammy" } });
    const { charm, runner, cloud } = before;
    const from = await before.refresh();
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: JAMMY, ids: { [cloud]: JAMMY_IMAGE.id } }],
    });
    await charm.wake();
    const builds = await charm.builds();
    expect(builds.map(({ request }) => `${request.kind} ${request.reason}`)).toEqual([
      "adopt switch",
      "build config",
    ]);
    expect(charm.publications(from)).toEqual([]);
    expect(runner.bag()).toEqual(pythonBag([JAMMY_IMAGE]));
  });

  it("builds at once where what is published is gone from the cloud", async () => {
    await using before = await deployPython([NOBLE_IMAGE]);
    const { charm, runner } = before;
    await before.refresh();
    const [adoption] = await charm.builds();
    await charm.builders.end(adoption, { outcome: "done", targets: [] });
    await charm.wake();
    const builds = await charm.builds();
    expect(builds.map(({ request }) => `${request.kind} ${request.reason}`)).toEqual([
      "adopt switch",
      "build relation",
    ]);
    expect(runner.bag()).toEqual(pythonBag([NOBLE_IMAGE]));
  });

  it("builds at once where nothing was published yet", async () => {
    await using before = await deployPython([]);
    await before.refresh();
    expect((await before.charm.builds()).map(({ request }) => `${request.kind} ${request.reason}`)).toEqual([
      "build relation",
    ]);
  });

  it("is not disturbed by the old schedule's last event, before or after it", async () => {
    await using before = await deployPython([NOBLE_IMAGE]);
    const { charm, runner } = before;
    const last = "JUJU_DISPATCH_PATH=run HOME=/home/ubuntu ./dispatch";
    const [from] = await Promise.all([before.refresh(), charm.juju.exec(UNIT, last)]);
    await charm.juju.exec(UNIT, last);
    await charm.settle();
    const [adoption, waiting, ...others] = await charm.builds();
    expect(adoption?.request.kind).toBe("adopt");
    expect([waiting?.request.kind, waiting?.state]).toEqual(["build", "waiting"]);
    expect(others).toEqual([]);
    expect(charm.publications(from)).toEqual([]);
    expect(runner.bag()).toEqual(pythonBag([NOBLE_IMAGE]));
    expect(charm.failures()).toEqual([]);
  });

  it("ends a build of the Python charm that goes on by itself", async () => {
    await using before = await deployPython([NOBLE_IMAGE]);
    const program = join(before.charm.root, "home/ubuntu/.local/bin/github-runner-image-builder");
    const start = async (command: string) => {
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", program, command]);
      await once(child, "spawn");
      return child;
    };
    await using children = new AsyncDisposableStack();
    const run = children.adopt(await start("run"), (child) => void child.kill("SIGKILL"));
    const lookup = children.adopt(await start("latest-build-id"), (child) => void child.kill("SIGKILL"));
    const ended = once(run, "exit");
    await before.refresh();
    expect(await ended).toEqual([null, "SIGTERM"]);
    expect(lookup.exitCode ?? lookup.signalCode).toBeNull();
  });

  it("leaves the files alone that another unit of the Python charm on the machine uses", async () => {
    await using before = await deployPython([NOBLE_IMAGE], { cronUnit: "other-builder/0" });
    await before.refresh();
    expect(await Promise.all(before.files.map(exists))).not.toContain(false);
    expect(await exists(mark(before.charm))).toBe(false);
    expect(before.charm.log().join("\n")).toContain("another unit of the Python charm");
  });
});
