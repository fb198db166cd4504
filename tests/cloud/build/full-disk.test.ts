/** The disk of the machine is full while a build runs: it ends in one sentence and leaves nothing in the clouds. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { JOURNAL_FILE } from "../../../src/build/journal.ts";
import { useWorkshops } from "../../support/build.ts";
import { randomFile } from "../../support/mirror.ts";
import { mountSmallDisk } from "../../support/small-disk.ts";

const openWorkshop = useWorkshops();
const MIB = 1 << 20;

describe.concurrent("a build whose disk is full", () => {
  test("before the base image is there says how much that needs, and the next one with room is well", async ({
    expect,
  }) => {
    await using workshop = await openWorkshop();
    await using disk = await mountSmallDisk(join(workshop.folder, "builds"), 2 * MIB);
    workshop.mirror.putImage("noble", randomFile(MIB));
    disk.fill({ left: MIB / 2 });
    const { build, outcome } = await workshop.run();
    expect(build.errors).toEqual([
      expect.stringMatching(
        /^noble-x64: cannot prepare the base image: the disk is full: http\S+ needs 1048576 bytes beside \S+; free some: ENOSPC/,
      ),
    ]);
    expect(outcome).toBe("failed");
    expect(await workshop.leftovers()).toEqual([]);
    await disk.empty();
    expect((await workshop.run()).build.errors).toEqual([]);
  });

  test.for(["server", "snapshot"])(
    "once its %s is made deletes that, and its last word says why",
    async (kind, { expect }) => {
      await using workshop = await openWorkshop();
      const builds = join(workshop.folder, "builds");
      await using disk = await mountSmallDisk(builds, 4 * MIB);
      let isFull = false;
      const { build, outcome } = await workshop.run({
        onEvent: (event) => {
          if (event.event !== "created" || event.kind !== kind) return;
          isFull = true;
          const id = readdirSync(builds).findLast((name) => /^\d/.test(name)) ?? "";
          disk.fill({ file: join(builds, id, JOURNAL_FILE) });
        },
      });
      expect(isFull).toBe(true);
      expect(build.errors).toEqual([
        expect.stringMatching(
          /the disk of this machine is full: cannot write \S+\/journal\.jsonl; free some space$/,
        ),
      ]);
      expect(outcome).toBe("failed");
      expect(build.artifacts).toEqual([]);
      expect(await workshop.leftovers()).toEqual([]);
    },
  );
});
