/** The packed charm's whole life on a bare machine of its own; each test goes on where the one before has ended. */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFailed, test } from "vitest";
import { waitFor } from "../../src/base/deadline.ts";
import { silentLogger } from "../../src/base/log.ts";
import {
  listImages,
  listSecurityGroups,
  openCloud,
  type Cloud,
  type Image,
} from "../../src/openstack/index.ts";
import { labCloud, labReset, labUp, type LabCloud, type LabProject } from "../../lab/lab.ts";
import { bootMachine } from "../../lab/machine/boot.ts";
import {
  buildsOn,
  hasBegun,
  outcomeOf,
  PATHS,
  serviceProperty,
  type RemoteBuild,
} from "../../lab/machine/builds.ts";
import { fromGuests, startController, type MachineController } from "../../lab/machine/controller.ts";
import { added, takeInventory } from "../../lab/machine/inventory.ts";
import type { RemoteMachine } from "../../lab/machine/remote-machine.ts";
import { APPLICATION, deployBuilder, relateRequirers, statusOf, UNIT } from "../../lab/story/model.ts";
import { packCharm } from "../../scripts/pack/pack.ts";
import { leftInTheClouds } from "../support/left-in-the-clouds.ts";

const REQUIRERS = ["runner-a", "runner-b"] as const satisfies readonly LabProject[];
/** The limit for the install hook, on an emulated machine. */
const INSTALL_MS = 20_000;
/** Bounds for a machine that others use, too; an idle one takes a quarter. */
const LONGEST_BUILD_MS = 900_000;
const SOON_MS = 240_000;
/** A schedule that does not come by itself while the tests run. */
const NEW_YEAR = "0 0 1 1 *";

const signal = AbortSignal.timeout(3_000_000);
const cleanUp = new AsyncDisposableStack();
let lab: LabCloud;
let machine: RemoteMachine;
let controller: MachineController;
let before: ReadonlySet<string>;
let packages: readonly string[];
let relations: ReadonlyMap<LabProject, number>;
let firstImages: readonly string[];
let lastImages: readonly string[];

beforeAll(async () => {
  const log = (line: string): void => console.log(line);
  await labUp("real", { log, signal });
  await labReset("real", { log, signal });
  const { lab: reachable, proxy } = await fromGuests(labCloud("real"));
  cleanUp.use(proxy);
  lab = reachable;
  const folder = cleanUp.use(await mkdtempDisposable(join(tmpdir(), "machine-")));
  const pack = async (version: string): Promise<string> =>
    await packCharm({
      base: "22.04",
      architecture: "amd64",
      folder: join(folder.path, version),
      version,
    });
  const [first, second, booted] = await Promise.all([
    pack("1"),
    pack("2"),
    bootMachine(labCloud("real"), signal),
  ]);
  packages = [first, second];
  ({ machine } = cleanUp.use(booted));
  controller = cleanUp.use(await startController(folder.path, machine));
  before = await takeInventory(machine);
}, 600_000);

afterAll(async () => {
  await cleanUp.disposeAsync();
});

const began = performance.now();

beforeEach(({ task }) => {
  console.log(`${((performance.now() - began) / 1000).toFixed(0)} s: ${task.name}`);
  onTestFailed(async () => {
    console.log(controller.log.slice(-60).join("\n"));
    console.log(await machine.shell(`tail -n 20 ${PATHS.builds}/*/build.log 2>/dev/null || true`));
  });
});

const settle = async (): Promise<void> => await controller.juju.settle({ signal });
const status = (): string => statusOf(controller.juju);
const bag = (project: LabProject): Readonly<Record<string, string>> =>
  controller.juju.unitData(relations.get(project) ?? 0, UNIT);
const ids = (): readonly string[] => REQUIRERS.map((project) => bag(project)["id"] ?? "");

/** The newest build as soon as it is as `is` says. */
async function newest(limitMs: number, is: (build: RemoteBuild) => boolean): Promise<RemoteBuild> {
  return await waitFor(AbortSignal.timeout(limitMs), 1000, async () => {
    const build = (await buildsOn(machine)).at(-1);
    return build !== undefined && is(build) ? build : undefined;
  });
}

async function end(build: RemoteBuild): Promise<string | null> {
  const isOver = ({ id, ...rest }: RemoteBuild): boolean =>
    id === build.id && outcomeOf({ id, ...rest }) !== null;
  const ended = await newest(LONGEST_BUILD_MS, isOver);
  // it wakes the charm once more
  await waitFor(AbortSignal.timeout(SOON_MS), 500, async () =>
    (await serviceProperty(machine, build.id, "ActiveState")) === "inactive" ? true : undefined,
  );
  await settle();
  return outcomeOf(ended);
}

async function withCloud<T>(project: LabProject, look: (cloud: Cloud) => Promise<T>): Promise<T> {
  const auth = { ...labCloud("real").credentials(project), caFile: null };
  const cloud = await openCloud(project, auth, { signal, log: silentLogger });
  using _closing = { [Symbol.dispose]: () => cloud.close() };
  return await look(cloud);
}

async function imagesOf(project: LabProject): Promise<readonly Image[]> {
  return await withCloud(project, async (cloud) => listImages(cloud, { owner: cloud.projectId }, { signal }));
}

/** Names of the build project's security groups, but for the one that every project has. */
async function securityGroups(): Promise<readonly string[]> {
  const groups = await withCloud("builder", async (cloud) => listSecurityGroups(cloud, {}, { signal }));
  return groups.map(({ name }) => name).filter((name) => name !== "default");
}

/** The statuses of the images that stand in the requirers' databags. */
async function published(): Promise<readonly (string | undefined)[]> {
  return await Promise.all(
    REQUIRERS.map(async (project) => {
      const images = await imagesOf(project);
      return images.find(({ id }) => id === bag(project)["id"])?.status;
    }),
  );
}

describe("a bare machine", () => {
  test("has systemd, cron and logrotate, and neither Node.js nor a way to a registry", async () => {
    expect(await machine.shell("cat /proc/1/comm; systemctl is-active cron")).toBe("systemd\nactive\n");
    expect(await machine.shell("command -v logrotate")).toBe("/usr/sbin/logrotate\n");
    await expect(machine.shell("command -v node")).rejects.toThrow("exited with 1");
    await expect(machine.shell("curl --silent --max-time 10 https://registry.npmjs.org/")).rejects.toThrow(
      /exited with (6|7|28)/,
    );
  });

  test("installs the charm from its file within 20 seconds", async () => {
    await deployBuilder(controller.juju, {
      lab,
      charm: packages[0] ?? "",
      link: false,
      config: { "apt-packages": "-*", schedule: NEW_YEAR },
    });
    await settle();
    expect(status()).toMatch(/^(maintenance preparing|blocked relation image is missing)/);
    const install = controller.hooks.find(({ hook }) => hook === "install");
    console.log(`install hook: ${((install?.ms ?? 0) / 1000).toFixed(1)} s`);
    expect(install?.ms).toBeLessThan(INSTALL_MS);
  });

  test("brings the base image to the cloud as a unit of systemd", async () => {
    const build = await newest(SOON_MS, () => true);
    expect(build.reason).toBe("config");
    expect(await end(build)).toBe("done");
  });

  test("begins a build when requirers come, fenced in", async () => {
    relations = await relateRequirers(controller.juju, lab, REQUIRERS);
    await settle();
    const build = await newest(SOON_MS, (one) => hasBegun(one, "log in to the builder"));
    expect(build.reason).toBe("relation");
    expect(await serviceProperty(machine, build.id, "ControlGroup")).toContain(build.id);
    const pid = await serviceProperty(machine, build.id, "MainPID");
    const own = await machine.shell(`grep -E '^(NoNewPrivs|CapEff):' /proc/${pid}/status`);
    expect(own).toBe("CapEff:\t0000000000000000\nNoNewPrivs:\t1\n");
    await expect(machine.shell(`nsenter --target ${pid} --mount touch /etc/forbidden`)).rejects.toThrow(
      "Read-only file system",
    );
  });

  test("goes on with that build through an upgrade of the charm and the end of Juju's agent", async () => {
    const build = await newest(SOON_MS, () => true);
    const pid = await serviceProperty(machine, build.id, "MainPID");
    await controller.juju.upgradeCharm(APPLICATION, packages[1] ?? "");
    await settle();
    expect(await machine.shell(`cat ${controller.juju.charmDirectory(UNIT)}/version`)).toMatch(/^2\b/);
    await machine.restartAgent();
    expect(await serviceProperty(machine, build.id, "MainPID")).toBe(pid);
    expect(await end(build)).toBe("done");
  });

  test("publishes to both requirers; its builder has told the charm of its steps meanwhile", async () => {
    expect(await published()).toEqual(["active", "active"]);
    firstImages = ids();
    expect(status()).toMatch(/^active noble-x64 of .* published to 2 of 2 relations, next build /);
    const history = controller.juju.status().applications[APPLICATION]?.units[UNIT]?.history ?? [];
    expect(history.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^building noble-x64: run cloud-init/),
    );
    expect(await leftInTheClouds(labCloud("real"), ["builder"], signal)).toEqual([]);
    const journal = await machine.shell("journalctl --no-pager --unit 'github-runner-image-builder@*'");
    expect(journal).toContain('"msg":"step done"');
    expect(journal).not.toContain("Warning");
  });

  test("has cron fire the event run by itself", async () => {
    const known = (await buildsOn(machine)).length;
    const now = Number(await machine.shell("date +%M"));
    const soon = [2, 3, 4, 5, 6].map((later) => (now + later) % 60).join(",");
    await controller.juju.setConfig(APPLICATION, { schedule: `${soon} * * * *` });
    await settle();
    await newest(420_000, ({ reason }) => reason === "schedule");
    await controller.juju.setConfig(APPLICATION, { schedule: NEW_YEAR });
    await settle();
    expect(await buildsOn(machine)).toHaveLength(known + 1);
  });

  test("is restarted in mid-build, leaves nothing in the cloud, and builds again by itself", async () => {
    const cut = await newest(LONGEST_BUILD_MS, (one) => hasBegun(one, "run cloud-init"));
    await machine.reboot(async () => await controller.juju.reboot(UNIT));
    await settle();
    const again = await newest(SOON_MS, ({ id }) => id !== cut.id);
    expect(again.reason).toBe("retry");
    const servers = await leftInTheClouds(labCloud("real"), ["builder"], signal);
    expect(servers.filter((name) => name.includes(cut.id))).toEqual([]);
  });

  test("rotates a log that a builder writes", async () => {
    const build = await newest(LONGEST_BUILD_MS, (one) => hasBegun(one, "run cloud-init"));
    const inode = `stat -c %i ${PATHS.logFile}`;
    const held = await machine.shell(inode);
    await machine.shell(`logrotate --force /etc/logrotate.conf`);
    expect(await machine.shell(`stat -c %s ${PATHS.logFile}.1`)).not.toBe("0\n");
    expect(await machine.shell(inode)).toBe(held);
    expect(await end(build)).toBe("done");
    const lines = (await machine.shell(`cat ${PATHS.logFile}`)).trimEnd().split("\n");
    // appended to the file that was cut: no hole before them
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty("msg");
    expect(await published()).toEqual(["active", "active"]);
    lastImages = ids();
    expect(lastImages).not.toEqual(firstImages);
  });

  test("has nothing of ours left when the unit is gone", async () => {
    await controller.juju.removeUnit(UNIT);
    await settle();
    expect(added(before, await takeInventory(machine))).toEqual([]);
  });

  test("leaves in the clouds what is published and base images alone", async () => {
    expect(await leftInTheClouds(labCloud("real"), ["builder"], signal)).toEqual([]);
    expect(await securityGroups()).toEqual([]);
    expect((await imagesOf("builder")).map(({ name }) => name)).toEqual([
      `${APPLICATION}-image-builder-base-noble-x64`,
    ]);
    for (const [at, project] of REQUIRERS.entries()) {
      const theirs = await imagesOf(project);
      expect(new Set(theirs.map(({ id }) => id))).toEqual(new Set([firstImages[at], lastImages[at]]));
    }
  });
});
