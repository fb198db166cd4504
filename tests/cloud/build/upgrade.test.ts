import { spawn } from "node:child_process";
import { mkdtempDisposable, readdir, rm } from "node:fs/promises";
import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { stageCharm } from "../../../scripts/bundle/stage.ts";
import { waitFor } from "../../../src/base/deadline.ts";
import { readBuild, REQUEST_FILE } from "../../../src/build/history.ts";
import { readJournal } from "../../../src/build/journal.ts";
import { folderOf, useWorkshops } from "../../support/build.ts";

const openWorkshop = useWorkshops();

test("a build goes on when the charm's folder is replaced under it", async ({ expect }) => {
  await using workshop = await openWorkshop();
  await using place = await mkdtempDisposable(join(tmpdir(), "upgrade-"));
  const charm = join(place.path, "charm");
  await stageCharm(charm, realpathSync(process.execPath));
  const request = await workshop.newRequest();
  const folder = folderOf(workshop, request);
  const main = join(charm, "dist/cli/main.mjs");
  const child = spawn(process.execPath, [main, "run", "--request", join(folder, REQUEST_FILE)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  const exit = new Promise<number | null>((resolve) => void child.once("close", resolve));
  try {
    const signal = AbortSignal.timeout(120_000);
    const begun = async (step: string | null): Promise<true | undefined> => {
      if (child.exitCode !== null)
        throw new Error(`the builder ended early: ${Buffer.concat(said).toString()}`);
      const events = await readJournal(folder);
      const isThere = events.some((event) =>
        step === null ? event.event === "started" : event.event === "step-started" && event.step === step,
      );
      return isThere ? true : undefined;
    };
    await waitFor(signal, 5, async () => await begun(null));
    // everything later is of the program's memory: keys, user-data, scripts, libraries
    await rm(charm, { recursive: true, force: true });
    expect(await readdir(place.path)).toEqual([]);
    await waitFor(signal, 50, async () => await begun("log in to the builder"));
  } finally {
    child.kill("SIGTERM");
  }
  expect(await exit).toBe(143);
  expect(await readBuild(folder)).toMatchObject({ state: "cancelled", errors: ["cancelled by SIGTERM"] });
  expect(await workshop.leftovers()).toEqual([]);
});
