import { execFile } from "node:child_process";
import { mkdtempDisposable, readdir, readFile, realpath, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packCharm } from "../../../scripts/pack/pack.ts";
import { verifyCharm } from "../../../scripts/verify-charm/verify.ts";
import { NOBLE } from "../../support/charm-builds.ts";
import { cloudOf, credentialsOf, relate, type Requirer } from "../../support/charm-requirers.ts";
import { APPLICATION, deployBuilder, UNIT, type Deployed } from "../../support/charm.ts";

const HERE = process.arch === "arm64" ? "arm64" : "amd64";

/** One charm file goes through all tests of this file, in their order. */
describe("a packed charm", () => {
  const cleanup = new AsyncDisposableStack();
  let second: string;
  let charm: Deployed;
  let runner: Requirer;
  let cloud: string;

  beforeAll(async () => {
    const { path: folder } = cleanup.use(await mkdtempDisposable(join(tmpdir(), "packed-")));
    const platform = { base: "22.04", architecture: HERE } as const;
    const first = await packCharm({ ...platform, folder: join(folder, "1"), version: "1.0.0" });
    second = await packCharm({ ...platform, folder: join(folder, "2"), version: "2.0.0" });
    charm = cleanup.use(await deployBuilder({ charm: first }));
  }, 300_000);
  afterAll(async () => await cleanup.disposeAsync());

  const charmFolder = (): string => charm.juju.charmDirectory(UNIT);
  const builderCommand = async (): Promise<readonly string[]> => {
    const pid = await readFile(join((await charm.builds()).at(-1)?.folder ?? "", "pid"), "utf8");
    return (await readFile(`/proc/${Number.parseInt(pid, 10)}/cmdline`, "utf8")).split("\0");
  };

  it("holds before the eyes of verify-charm", async () => {
    expect(await verifyCharm(second)).toEqual([]);
  });

  it("installs with nothing but what is in it, and builds with its own node", async () => {
    expect(charm.failures()).toEqual([]);
    expect((await stat(join(charmFolder(), "dispatch"))).mode & 0o777).toBe(0o755);
    expect(await readdir(charmFolder())).not.toContain("node_modules");
    expect(charm.status()).toMatch(/^blocked relation image is missing: /);
    const folder = await realpath(charmFolder());
    const command = await builderCommand();
    expect(command[0]).toBe(join(folder, "node/bin/node"));
    expect(command).toContain(join(folder, "dist/cli/main.mjs"));
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
  });

  it("takes relations and config, and publishes", async () => {
    const credentials = credentialsOf(charm, "runner-a");
    cloud = cloudOf(credentials);
    runner = await relate(charm, "runner-a", credentials);
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloud]: "image-1" } }],
    });
    await charm.wake();
    expect(runner.bag()["id"]).toBe("image-1");
    await charm.updateStatus();
    expect(charm.status()).toMatch(/^active noble-x64 .*, published to 1 of 1 relations/);
    await charm.configure({ schedule: "0 25 * * *" });
    expect(charm.status()).toBe('blocked schedule: "25" is no hour that cron understands');
    await charm.configure({ schedule: "0 5 * * *" });
    expect(await readFile(charm.paths.cronFile, "utf8")).toContain("\n0 5 * * * root flock ");
    expect(charm.failures()).toEqual([]);
  });

  it("runs actions, and commands on the unit", async () => {
    const { status, results } = await charm.juju.runAction(UNIT, "list-builds");
    expect(status).toBe("completed");
    const { id } = (await charm.builds()).at(-1) ?? {};
    expect(JSON.stringify(results)).toContain(id);
    const { exit, stdout } = await charm.juju.exec(
      UNIT,
      `bin/image-builder list-builds --builds ${charm.paths.builds}`,
    );
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: expect.stringContaining(id ?? "") as string });
  });

  it("is replaced by a second one while a build runs, which goes on", async () => {
    await charm.juju.runAction(UNIT, "run");
    await charm.settle();
    const build = (await charm.builds()).at(-1);
    const before = charm.mark();
    await charm.juju.upgradeCharm(APPLICATION, second);
    await charm.settle();
    expect(await readFile(join(charmFolder(), "version"), "utf8")).toBe("2.0.0\n");
    expect(charm.publications(before)).toEqual([]);
    expect((await charm.builds()).at(-1)).toEqual(build);
    await charm.builders.end(build, {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloud]: "image-2" } }],
    });
    await charm.wake();
    expect(runner.bag()["id"]).toBe("image-2");
    expect(charm.failures()).toEqual([]);
  });

  it("leaves nothing behind when it goes", async () => {
    await charm.juju.removeUnit(UNIT);
    await charm.settle();
    expect(charm.failures()).toEqual([]);
    const left = await promisify(execFile)("find", [charm.root, "!", "-type", "d"]);
    expect(left.stdout.split("\n").filter((path) => path !== "" && !path.includes("/usr/bin/juju-"))).toEqual(
      [],
    );
  });
});
