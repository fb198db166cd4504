/** Clocks that are wrong: the cloud's, and the machine's, which steps while a build runs. */
import { afterEach, describe, test, vi } from "vitest";
import { NORMAL } from "../../lab/faults/conditions.ts";
import { copiesIn } from "../../src/build/publication/states.ts";
import { useWorkshops } from "../support/build.ts";
import { damage, openLane } from "./support/lanes.ts";
import { readPublications } from "./support/publisher.ts";

const openWorkshop = useWorkshops();
const HOUR_MS = 3_600_000;

describe.concurrent("a cloud whose clock is", () => {
  test.for([
    ["an hour ahead", HOUR_MS],
    ["an hour behind", -HOUR_MS],
  ] as const)(
    "%s: builds go well, and pruning takes the oldest revision alone",
    async ([, ms], { expect }) => {
      await using lane = await openLane(await openWorkshop());
      const published: string[] = [];
      for (const clockAheadMs of [0, ms, 0]) {
        lane.proxy.setConditions({ ...NORMAL, clockAheadMs });
        const result = await lane.build();
        expect(result.build.errors).toEqual([]);
        expect(await damage(lane, result)).toEqual([]);
        published.push((await readPublications(lane.workshop.folder)).get("runner-a") ?? "");
      }
      lane.proxy.setConditions(NORMAL);
      const kept = (await lane.workshop.images("runner-a")).map(({ id }) => id);
      expect(kept.toSorted()).toEqual(published.slice(1).toSorted());
    },
  );
});

// not concurrent: the clock is that of this process
describe("the machine's clock", () => {
  afterEach(() => void vi.useRealTimers());

  test("steps by hours at each event of a build: it goes on, its limits hold, and what is published stays", async ({
    expect,
  }) => {
    await using lane = await openLane(await openWorkshop());
    await lane.build();
    vi.useFakeTimers({ toFake: ["Date"] });
    const steps = [HOUR_MS, -2 * HOUR_MS, 25 * HOUR_MS, -24 * HOUR_MS];
    let at = 0;
    const result = await lane.build({
      onEvent: () => {
        vi.setSystemTime(Date.now() + (steps[at % steps.length] ?? 0));
        at += 1;
      },
    });
    vi.useRealTimers();
    expect(result.build.errors).toEqual([]);
    expect(await damage(lane, result)).toEqual([]);
    const published = await readPublications(lane.workshop.folder);
    const evidence = { published: new Set(published.values()), pinned: new Set<string>() };
    const copies = copiesIn(await lane.workshop.images("runner-a"), lane.workshop.owner, evidence);
    expect(copies.map(({ state }) => state)).toEqual(["published", "superseded"]);
  });
});
