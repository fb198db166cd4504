import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { waitFor } from "../../src/base/deadline.ts";
import { openJournal } from "../../src/build/journal.ts";
import { processIdentity } from "../../src/build/process-id.ts";
import { FIRST_MADE } from "../../src/build/step.ts";
import { NOBLE } from "../support/charm-builds.ts";
import { credentialsOf, deployRelated, relate } from "../support/charm-requirers.ts";
import { deployBuilder, REPOSITORY, UNIT, type Deployed } from "../support/charm.ts";

/** Every file below `folder`, without folders. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length));
}

/** The command of the cron file's only entry, as cron hands it to the shell. */
async function cronCommand(charm: Deployed): Promise<string> {
  const lines = (await readFile(charm.paths.cronFile, "utf8")).trimEnd().split("\n");
  const [entry = "", ...others] = lines.filter((line) => /^\S+ \* \* \* \* root /.test(line));
  expect(others).toEqual([]);
  return entry.slice(entry.indexOf(" root ") + " root ".length).replaceAll("\\%", "%");
}

describe("the schedule", () => {
  it("is one cron entry that a shell understands, and follows the interval", async () => {
    await using charm = await deployBuilder({ config: { "build-interval": 5 } });
    expect((await stat(charm.paths.cronFile)).mode & 0o777).toBe(0o644);
    const text = await readFile(charm.paths.cronFile, "utf8");
    // cron ignores a file whose last line has no newline, and one with a dot in its name
    expect(text).toMatch(/^\d+ \* \* \* \* root .*\n$/m);
    expect(charm.paths.cronFile).toMatch(/\/etc\/cron\.d\/[A-Za-z0-9_-]+$/);
    const command = await cronCommand(charm);
    await promisify(execFile)("sh", ["-n", "-c", command]);
    expect(command).toMatch(
      /^\[ \$\(\( \$\(date \+%s\) \/ 3600 % 5 \)\) -eq [0-4] \] && flock --nonblock \S+ \S+\/usr\/bin\/juju-exec image-builder\/0 "JUJU_DISPATCH_PATH=run \.\/dispatch"$/,
    );
    const { mtimeMs } = await stat(charm.paths.cronFile);
    await charm.updateStatus();
    expect((await stat(charm.paths.cronFile)).mtimeMs).toBe(mtimeMs);
    await charm.configure({ "build-interval": 3 });
    expect(await cronCommand(charm)).toContain("/ 3600 % 3 ))");
  });

  it("fires the event run through juju-exec", async () => {
    const { charm, cloud } = await deployRelated();
    await using _charm = charm;
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloud]: "image-1" } }],
    });
    await charm.wake();
    const command = await cronCommand(charm);
    const fire = command.slice(command.indexOf("&& ") + 3);
    await promisify(execFile)("/bin/sh", ["-c", fire], { env: { PATH: "/usr/bin:/bin" } });
    await charm.settle();
    expect((await charm.builds()).at(-1)?.request.reason).toBe("schedule");
  });
});

describe("a removed unit", () => {
  it("leaves no file and no builder behind", async () => {
    const { charm, runner } = await deployRelated();
    await using _charm = charm;
    const build = (await charm.builds()).at(-1);
    await charm.builders.end(build, { outcome: "killed" });
    // a process that does what a builder does when it is told to cancel: it ends
    const standIn = spawn("sleep", ["300"], { stdio: "ignore" });
    using _end = { [Symbol.dispose]: () => void standIn.kill("SIGKILL") };
    await once(standIn, "spawn");
    const ended = once(standIn, "exit");
    await writeFile(join(build?.folder ?? "", "pid"), `${await processIdentity(standIn.pid ?? 0)}\n`);
    {
      using journal = openJournal(build?.folder ?? "", () => {});
      journal.add({ event: "started", process: (await processIdentity(standIn.pid ?? 0)) ?? "" });
    }
    expect((await charm.builds()).at(-1)?.state).toBe("running");
    await charm.juju.removeUnit(UNIT);
    await charm.settle();
    expect(await ended).toEqual([null, "SIGTERM"]);
    expect(charm.failures()).toEqual([]);
    expect((await filesBelow(charm.root)).filter((file) => !file.startsWith("/usr/bin/juju-"))).toEqual([]);
    expect(runner.bag()).toEqual({});
  });

  it("asks the clouds for what its builds left, and goes although they do not answer", async () => {
    await using charm = await deployBuilder({ config: { "openstack-auth-url": "http://127.0.0.1:1/v3" } });
    const build = (await charm.builds()).at(-1);
    {
      using journal = openJournal(build?.folder ?? "", () => {});
      journal.add({ event: "step-started", image: "", step: FIRST_MADE });
      journal.add({ event: "step-ended", image: "", step: FIRST_MADE, ms: 1, error: null });
    }
    await charm.fire("hooks/stop");
    expect(charm.log().join("\n")).toMatch(
      /something may be left in a cloud.*cannot ask builder: cannot sign in to cloud builder: cannot reach 127/,
    );
    expect(charm.failures()).toEqual([]);
  });

  it("has no schedule any more from stop on", async () => {
    await using charm = await deployBuilder();
    await stat(charm.paths.cronFile);
    await charm.fire("hooks/stop");
    expect(await readdir(dirname(charm.paths.cronFile))).toEqual([]);
    expect(charm.failures()).toEqual([]);
  });
});

describe("a hook that is ended by SIGTERM", () => {
  it("writes nothing, runs again and converges", async () => {
    const { charm, runner, cloud } = await deployRelated();
    await using _charm = charm;
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloud]: "image-1" } }],
    });
    const before = charm.mark();
    const repair = charm.juju.injectFault({ command: "relation-list", nth: 1, hang: true });
    await charm.juju.updateStatus(UNIT);
    await waitFor(AbortSignal.timeout(20_000), 10, async () =>
      charm.calls("relation-list", before).length > 0 ? true : undefined,
    );
    expect(charm.juju.killHook(UNIT, "SIGTERM")).toBe(true);
    await charm.settle();
    repair();
    expect(charm.calls("relation-list", before).length).toBeGreaterThan(1);
    expect(charm.publications(before)).toHaveLength(1);
    expect(runner.bag()["id"]).toBe("image-1");
    expect(charm.failures()).toEqual([]);
    expect(charm.log().join("\n")).toContain("dispatch was told to end");
  });
});

describe("any event", () => {
  it("that the charm does not know is ignored with a word in the log", async () => {
    await using charm = await deployBuilder();
    const others = [
      "hooks/pre-series-upgrade",
      "reticulate",
      // a relation that an older revision of the charm had
      "hooks/certificates-relation-joined JUJU_RELATION_ID=certificates:9",
    ];
    for (const path of others) expect(await charm.fire(path)).toBe(0);
    expect(charm.log().join("\n")).toContain("does not know");
  });

  it("keeps the databags byte for byte when the charm is upgraded", async () => {
    const { charm, runner, cloud } = await deployRelated();
    await using _charm = charm;
    await charm.builders.end((await charm.builds()).at(-1), {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloud]: "image-1" } }],
    });
    await charm.wake();
    const [before, published] = [charm.mark(), runner.bag()];
    await charm.juju.upgradeCharm("image-builder", REPOSITORY);
    await charm.settle();
    const hooks = new Set(
      charm.juju
        .journal()
        .slice(before)
        .map(({ hook }) => hook),
    );
    expect([...hooks]).toEqual(["upgrade-charm", "config-changed"]);
    expect(charm.publications(before)).toEqual([]);
    expect(runner.bag()).toEqual(published);
    expect(await charm.builds()).toHaveLength(2);
  });

  it("ends within seconds while no cloud answers", async () => {
    await using charm = await deployBuilder();
    await relate(charm, "runner-a", credentialsOf(charm, "runner-a"));
    const events: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["update-status", async () => await charm.updateStatus()],
      ["config-changed", async () => await charm.configure({ "apt-packages": "jq" })],
      ["run", async () => await charm.fire("run")],
      ["the action run", async () => await charm.juju.runAction(UNIT, "run")],
      ["build-changed", async () => await charm.wake()],
    ];
    const slow: string[] = [];
    for (const [name, run] of events) {
      const began = performance.now();
      await run();
      const ms = performance.now() - began;
      if (ms > 5_000) slow.push(`${name}: ${ms} ms`);
    }
    expect(slow).toEqual([]);
  });
});
