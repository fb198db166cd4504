/**
 * A build to learn its calls, then one per call and fault. `npm run test:faults` tries all of them, `npm test` a part
 * that stands for the whole.
 */
import { afterAll, describe, test } from "vitest";
import type { Fault } from "../../lab/faults/rules.ts";
import type { Outcome } from "../../src/build/run-build.ts";
import { signInForWorkshops } from "../support/build.ts";
import { callName, callsToTry, type KnownCall, ruleFor } from "./support/calls.ts";
import { faultName, faultsOf, representative } from "./support/fault-kinds.ts";
import { writeFigures } from "./support/figures.ts";
import { openOutcomes } from "./support/outcomes.ts";
import { buildWell, damage, type Lane, openLane, settle } from "./support/lanes.ts";

const isWhole = process.env["FAULTS"] === "all";
/** To try some again: a regular expression for the tests' names; with FAULTS=all their outcomes replace the older ones. */
const only = new RegExp(process.env["FAULTS_ONLY"] ?? "", "u");

const site = await signInForWorkshops();
const idle: Lane[] = [];
const tried: Record<Outcome | "damaged", number> = {
  done: 0,
  failed: 0,
  cancelled: 0,
  interrupted: 0,
  damaged: 0,
};
const outcomes = await openOutcomes("sweep");

/** The calls of a first build, and of one that finds base image and older revisions. */
const learned = await learn();

async function learn(): Promise<{
  readonly first: readonly KnownCall[];
  readonly later: readonly KnownCall[];
}> {
  const lane = await openLane(await site.open());
  await buildWell(lane);
  const first = callsToTry(lane.proxy.calls());
  await buildWell(lane);
  lane.proxy.forget();
  await buildWell(lane);
  const later = callsToTry(lane.proxy.calls());
  idle.push(lane);
  const known = new Set(later.map(callName));
  return { first: first.filter((call) => !known.has(callName(call))), later };
}

/** A lane with two revisions, so that the next build prunes one. */
async function settledLane(): Promise<Lane> {
  const lane = idle.pop() ?? (await openLane(await site.open()));
  await settle(lane);
  return lane;
}

async function tryFault(lane: Lane, call: KnownCall, fault: Fault): Promise<readonly string[]> {
  lane.proxy.forget();
  lane.proxy.setRules([ruleFor(call, fault)]);
  const startedAt = performance.now();
  const result = await lane.build();
  const problems = [
    ...(await damage(lane, result)),
    ...(lane.proxy.struck() > 0 ? [] : ["the call did not come"]),
  ];
  const outcome = problems.length === 0 ? result.outcome : "damaged";
  tried[outcome] += 1;
  if (isWhole) outcomes.note(nameOf([call, fault]), outcome, performance.now() - startedAt);
  // at once: the whole sweep takes long
  if (problems.length > 0)
    console.log(
      `${callName(call)}: ${faultName(fault)}: ${result.outcome}: ${[...result.build.errors, ...problems].join("; ")}`,
    );
  return problems.length === 0 ? [] : [`${result.outcome}: ${result.build.errors.join("; ")}`, ...problems];
}

type Spoilt = readonly [KnownCall, Fault];

const nameOf = ([call, fault]: Spoilt): string => `${callName(call)}: ${faultName(fault)}`;

const allOf = (calls: readonly KnownCall[]): readonly Spoilt[] =>
  calls.flatMap((call) => faultsOf(call).map((fault) => [call, fault] as const));

const choose = (calls: readonly KnownCall[]): (readonly [string, KnownCall, Fault])[] =>
  (isWhole ? allOf(calls) : representative(calls))
    .map((spoilt) => [nameOf(spoilt), ...spoilt] as const)
    .filter(([name]) => only.test(name));

afterAll(async () => {
  for (const lane of idle) await lane[Symbol.asyncDispose]();
  site[Symbol.dispose]();
  console.log(JSON.stringify(tried));
  if (!isWhole) return;
  const calls = [...learned.first, ...learned.later];
  const all = await outcomes.of(allOf(calls).map(nameOf));
  // cut short: the next run goes on
  if (all === null) return console.log("no figures yet: some cases were never tried");
  const count = (outcome: string): number => all.filter((one) => one.outcome === outcome).length;
  const minutes = Math.round(all.reduce((sum, { ms }) => sum + ms, 0) / 60_000);
  await writeFigures("sweep", [
    "| what | figure |",
    "| --- | --- |",
    `| calls of a build that were spoilt | ${calls.length} |`,
    `| builds, one per call and fault | ${all.length} |`,
    `| succeeded all the same | ${count("done")} |`,
    `| failed with a sentence that names step and cause | ${count("failed")} |`,
    `| left something, lost something or failed otherwise | ${all.length - count("done") - count("failed")} |`,
    `| of all, tried at an earlier commit than the last | ${all.filter(({ commit }) => commit !== outcomes.commit).length} |`,
    `| time of the builds, several at once, together | ${minutes} min |`,
  ]);
});

describe.concurrent("a build that finds its base image", () => {
  test.for(choose(learned.later))("%s", async ([, call, fault], { expect }) => {
    const lane = await settledLane();
    const problems = await tryFault(lane, call, fault);
    if (problems.length === 0) idle.push(lane);
    else await lane[Symbol.asyncDispose]();
    expect(problems).toEqual([]);
  });
});

describe.concurrent("a first build", () => {
  test.for(choose(learned.first))("%s", async ([, call, fault], { expect }) => {
    await using lane = await openLane(await site.open());
    expect(await tryFault(lane, call, fault)).toEqual([]);
  });
});
