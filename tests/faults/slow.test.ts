/** Trouble that lasts: a cloud that is away for a while, and waits that somebody ends. */
import { describe, test } from "vitest";
import { type Fault, ruleOf } from "../../lab/faults/rules.ts";
import type { JournalEvent } from "../../src/build/journal.ts";
import { useWorkshops } from "../support/build.ts";
import { damage, openLane } from "./support/lanes.ts";

const openWorkshop = useWorkshops();
/** Shorter than one call may take with its retries. */
const AWAY_MS = 12_000;

const begins =
  (step: string) =>
  (event: JournalEvent): boolean =>
    event.event === "step-started" && event.step === step;

describe.concurrent("a cloud whose services are all away for a while", () => {
  const cases: readonly (readonly [string, string, Fault])[] = [
    ["choose flavor and network", "answer 503", { kind: "status", status: 503 }],
    ["launch the builder", "send a page", { kind: "html", status: 502 }],
    ["take the snapshot", "close all connections", { kind: "close", when: "before" }],
    ["upload the image", "answer 503", { kind: "status", status: 503 }],
  ];

  test.for(cases)("in the step %s: they %s, and the build goes on", async ([step, , fault], { expect }) => {
    await using lane = await openLane(await openWorkshop());
    const isIt = begins(step);
    let timer: NodeJS.Timeout | undefined;
    const result = await lane.build({
      // limits as they are in life
      request: { limits: {} },
      onEvent: (event) => {
        if (timer !== undefined || !isIt(event)) return;
        // questions alone: what a create that was refused did not do is known, and told
        lane.proxy.setRules([ruleOf(fault, { method: "GET", times: null })]);
        timer = setTimeout(() => lane.proxy.setRules([]), AWAY_MS);
      },
    });
    clearTimeout(timer);
    expect(lane.proxy.struck()).toBeGreaterThan(1);
    expect(result.build.errors).toEqual([]);
    expect(result.outcome).toBe("done");
    expect(await damage(lane, result)).toEqual([]);
  });
});

describe.concurrent("a build that is cancelled while no service answers", () => {
  test.for([
    "sign in to the build cloud",
    "reap what dead builds left",
    "prepare the base image",
    "launch the builder",
    "take the snapshot",
    "upload the image",
    "prune superseded images",
  ])("in the step %s ends its wait within two seconds", async (step, { expect }) => {
    await using lane = await openLane(await openWorkshop());
    const isIt = begins(step);
    let cancelledAt = 0;
    let endedAt = 0;
    const result = await lane.build({
      request: { limits: {} },
      onEvent: (event, cancel) => {
        if (event.event === "step-ended" && event.step === step) endedAt = performance.now();
        if (!isIt(event)) return;
        lane.proxy.setRules([ruleOf({ kind: "hang", when: "before" }, { method: "GET", times: null })]);
        setTimeout(() => {
          cancelledAt = performance.now();
          // the undo needs the cloud
          lane.proxy.setRules([]);
          cancel();
        }, 2000);
      },
    });
    expect(endedAt - cancelledAt).toBeLessThan(2000);
    expect(result.outcome).toBe("cancelled");
    expect(await damage(lane, result)).toEqual([]);
  });
});
