import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "vitest";
import { readBuild, REQUEST_FILE } from "../../../src/build/history.ts";
import type { JournalEvent } from "../../../src/build/journal.ts";
import { baseImageName, keyPairName, ownerTags } from "../../../src/build/names.ts";
import {
  createKeyPair,
  deleteKeyPair,
  getImage,
  isNotFound,
  listKeyPairs,
  listServers,
} from "../../../src/openstack/index.ts";
import { folderOf, useWorkshops } from "../../support/build.ts";
import { startCli } from "../../support/cli.ts";
import { createTestImage, onExit } from "../../support/openstack.ts";
import { generateKeyPair } from "../../../src/ssh/keys.ts";

const openWorkshop = useWorkshops();
const options = { signal: AbortSignal.timeout(600_000), everyMs: 200 };

/** There is no guest at the address that the fake driver gives: the build waits here by itself. */
const isLoggingIn = (event: JournalEvent): boolean =>
  event.event === "step-started" && event.step === "log in to the builder";

describe.concurrent("the builder's process", () => {
  test("told to end by SIGTERM cleans up, says so in the journal and exits with 143", async ({ expect }) => {
    await using workshop = await openWorkshop();
    const request = await workshop.newRequest();
    const folder = folderOf(workshop, request);
    await using cli = startCli(join(folder, REQUEST_FILE));
    await cli.journalled(folder, isLoggingIn);
    expect(await workshop.leftovers()).not.toEqual([]);
    const told = performance.now();
    cli.kill("SIGTERM");
    const { code, output } = await cli.ended;
    expect(performance.now() - told).toBeLessThan(20_000);
    expect(code).toBe(143);
    expect(await workshop.leftovers()).toEqual([]);
    expect(await readBuild(folder)).toMatchObject({ state: "cancelled", errors: ["cancelled by SIGTERM"] });
    expect(output).not.toContain("builder-pass");
  });

  test("that was killed counts as interrupted, and the next build of its owner reaps what it left", async ({
    expect,
  }) => {
    await using workshop = await openWorkshop();
    await using stranger = await openWorkshop();
    const { owner, clouds } = workshop;
    const request = await workshop.newRequest();
    const folder = folderOf(workshop, request);
    const theirs = await stranger.newRequest();
    await using cli = startCli(join(folder, REQUEST_FILE));
    await using other = startCli(join(folderOf(stranger, theirs), REQUEST_FILE));
    await cli.journalled(folder, isLoggingIn);
    await other.journalled(folderOf(stranger, theirs), isLoggingIn);
    cli.kill("SIGKILL");
    expect((await cli.ended).code).toBeNull();
    expect(await readBuild(folder)).toMatchObject({ state: "interrupted", endedAt: null });
    const left = await workshop.leftovers();
    expect(left).toHaveLength(2);

    // half-made images as a death in mid-upload leaves them, and what only looks like it
    const dead = ownerTags(owner, request.id, "runner");
    await using half = await createTestImage(clouds["runner-a"], { properties: dead });
    const peer = { ...owner, unit: `${owner.application}/1` };
    const notOurs = ownerTags(peer, request.id, "runner");
    await using alike = await createTestImage(clouds["runner-a"], { properties: notOurs });
    await using untagged = await createTestImage(clouds.builder, {
      name: baseImageName(owner, { base: "noble", arch: "x64" }),
    });
    const keyName = keyPairName(peer, { base: "noble", arch: "x64" }, request.id);
    await using _key = onExit((undo) => deleteKeyPair(clouds.builder, keyName, undo));
    const { publicKey } = await generateKeyPair(keyName);
    await createKeyPair(clouds.builder, { name: keyName, publicKey }, options);

    const { outcome, log } = await workshop.run({ request: { otherUnits: [peer.unit] } });
    expect(outcome).toBe("done");
    expect(log.split("\n").filter((line) => line.includes('"reaped"'))).toHaveLength(3);
    const gone = await getImage(clouds["runner-a"], half.id, options).catch((error: unknown) => error);
    expect(isNotFound(gone)).toBe(true);
    expect(await getImage(clouds["runner-a"], alike.id, options)).toMatchObject({ status: "queued" });
    expect(await getImage(clouds.builder, untagged.id, options)).toMatchObject({ status: "queued" });
    expect((await listKeyPairs(clouds.builder, options)).map(({ name }) => name)).toContain(keyName);
    const servers = (await listServers(clouds.builder, {}, options)).map(({ name }) => name);
    expect(servers.filter((name) => name.startsWith(owner.application))).toEqual([]);
    expect(servers.filter((name) => name.startsWith(stranger.owner.application))).toHaveLength(1);

    other.kill("SIGTERM");
    expect((await other.ended).code).toBe(143);
    expect(await stranger.leftovers()).toEqual([]);
  });

  test("names the clouds.yaml that lacks its build cloud and exits with 1", async ({ expect }) => {
    await using workshop = await openWorkshop();
    const request = await workshop.newRequest({ request: { buildCloud: "elsewhere" } });
    const folder = folderOf(workshop, request);
    await using cli = startCli(join(folder, REQUEST_FILE));
    expect((await cli.ended).code).toBe(1);
    expect(await readBuild(folder)).toMatchObject({
      state: "failed",
      errors: [`cannot sign in to the build cloud: ${workshop.cloudsFile} has no cloud "elsewhere"`],
    });
  });

  test("with a request that is none says what is wrong and exits with 2", async ({ expect }) => {
    await using workshop = await openWorkshop();
    const request = await workshop.newRequest();
    const file = join(folderOf(workshop, request), REQUEST_FILE);
    const text = (await readFile(file, "utf8")).replace('"keepRevisions":2', '"keepRevisions":1');
    await writeFile(file, text);
    await using cli = startCli(file);
    const { code, output } = await cli.ended;
    expect(output).toBe(`error: build request ${file}: keepRevisions: must be at least 2\n`);
    expect(code).toBe(2);
  });
});
