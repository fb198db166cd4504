import { appendFile, writeFile } from "node:fs/promises";
import { describe, expect, test, vi } from "vitest";
import { createLogger } from "../../../../src/base/log.ts";
import { awaitCloudInit } from "../../../../src/build/steps/provision.ts";
import { openLocalGuest, type LocalGuest } from "../../../support/local-guest.ts";

// a real bash that looks once a second, on machines that run other tests at the same time
vi.setConfig({ testTimeout: 30_000 });

const { signal } = new AbortController();
const LOG = "/var/log/image-builder.log";

interface Told {
  readonly section: string;
  readonly line: string;
}

/** Follows what `guest` does; `onTold` sees each line as it comes. Gives the lines but for the result's three. */
async function follow(
  guest: LocalGuest,
  onTold: (told: Told) => Promise<void> = async () => {},
): Promise<Told[]> {
  const told: Told[] = [];
  const reactions: Promise<void>[] = [];
  const log = createLogger(
    {
      write(text) {
        const { section, line } = JSON.parse(text) as Told;
        told.push({ section, line });
        reactions.push(onTold({ section, line }));
      },
    },
    "info",
  );
  await awaitCloudInit(guest, "build-1", log, signal);
  await Promise.all(reactions);
  expect(told.splice(-3).map(({ line }) => line.replace(/=.*/, ""))).toEqual(["failed", "done", "result"]);
  return told;
}

/** Ends cloud-init in `guest`. */
async function end(
  guest: LocalGuest,
  { failed = "", done = "build-1", errors = [] as string[] } = {},
): Promise<void> {
  if (failed !== "") await writeFile(await guest.at("/run/image-builder/failed"), `${failed}\n`);
  else await writeFile(await guest.at("/run/image-builder/done"), `${done}\n`);
  await writeFile(
    await guest.at("/run/cloud-init/result.json"),
    `{\n "v1": {"errors": ${JSON.stringify(errors)}}\n}\n`,
  );
}

describe("following cloud-init", () => {
  test("tells each line with its section while the recipe runs", async () => {
    await using guest = await openLocalGuest();
    const path = await guest.at(LOG);
    await writeFile(path, "== section one\nfirst\n");
    const told = await follow(guest, async ({ line }) => {
      if (line !== "first") return;
      await appendFile(path, "== section two\nsec");
      await appendFile(path, "ond\nlast, with no end");
      await end(guest);
    });
    expect(told).toEqual([
      { section: "one", line: "== section one" },
      { section: "one", line: "first" },
      { section: "two", line: "== section two" },
      { section: "two", line: "second" },
      { section: "two", line: "last, with no end" },
    ]);
  });

  test("says which section failed and why, by that section's output alone", async () => {
    await using guest = await openLocalGuest();
    const lines = [
      "== section one",
      "E: passed over in the end",
      "== section one done in 1 s",
      "== section yq",
      "curl: (22) The requested URL returned error: 404",
      "failed=other",
      "== section yq failed after 31 s with exit code 22",
    ];
    await writeFile(await guest.at(LOG), `${lines.join("\n")}\n`);
    await end(guest, { failed: "yq" });
    await expect(follow(guest)).rejects.toThrow(
      "section yq failed: curl: (22) The requested URL returned error: 404",
    );
  });

  test("leaves out the middle of a flood, not its end", async () => {
    await using guest = await openLocalGuest();
    await writeFile(
      await guest.at(LOG),
      `== section one\n${"x".repeat(99)}\n${"noise\n".repeat(100_000)}the end\n`,
    );
    await end(guest);
    const told = await follow(guest);
    expect(told[0]?.line).toMatch(/^== \d+ bytes of the log are left out$/);
    expect(told.at(-1)?.line).toBe("the end");
    expect(told.length).toBeLessThan(50_000);
  });

  test("takes cloud-init's errors, and another build's end, for failures", async () => {
    await using guest = await openLocalGuest();
    await end(guest, { errors: ["no datasource"] });
    await expect(follow(guest)).rejects.toThrow("cloud-init reports an error: no datasource");
    await end(guest, { done: "build-0" });
    await expect(follow(guest)).rejects.toThrow("cloud-init finished without running this build's user-data");
  });
});
