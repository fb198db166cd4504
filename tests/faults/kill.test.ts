/**
 * A builder killed at each event of its journal and right after each call that changes something in a cloud; then the
 * next build of its application. Nothing may be left, and what was published stays.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, describe, test } from "vitest";
import { waitFor } from "../../src/base/deadline.ts";
import { readBuild, REQUEST_FILE } from "../../src/build/history.ts";
import type { BuildRequest } from "../../src/build/types.ts";
import { folderOf, signInForWorkshops } from "../support/build.ts";
import type { LabProject } from "../support/openstack.ts";
import { callName, callsToTry, type KnownCall, ruleFor } from "./support/calls.ts";
import { SWEEP_LIMITS } from "./support/fault-kinds.ts";
import { writeFigures } from "./support/figures.ts";
import { buildWell, damage, type Lane, openLane, settle } from "./support/lanes.ts";
import { publish } from "./support/publisher.ts";

const isWhole = process.env["FAULTS"] === "all";
const PROGRAM = new URL("support/doomed-builder.ts", import.meta.url).pathname;

const site = await signInForWorkshops();
const idle: Lane[] = [];
const tried = { passed: 0, damaged: 0, leftByTheDead: 0 };

/** How many events a build's journal has, and its calls that change something. */
const learned = await learn();

async function learn(): Promise<{
  readonly events: readonly string[];
  readonly changes: readonly KnownCall[];
}> {
  const lane = await openLane(await site.open());
  await settle(lane);
  lane.proxy.forget();
  const { events } = await buildWell(lane);
  idle.push(lane);
  const changes = callsToTry(lane.proxy.calls()).filter(
    ({ method, service }) => method !== "GET" && service !== "identity",
  );
  return {
    events: events.map((event) => ("step" in event ? `${event.event} ${event.step}` : event.event)),
    changes,
  };
}

function startBuilder(lane: Lane, request: BuildRequest, killAt: number): ChildProcess {
  const file = join(folderOf(lane.workshop, request), REQUEST_FILE);
  const words = [PROGRAM, file, lane.workshop.folder, String(killAt)];
  // the leader of a group, as a builder without systemd is
  return spawn(process.execPath, words, { stdio: ["ignore", "ignore", "inherit"], detached: true });
}

const requestOf = async ({ workshop }: Lane): Promise<BuildRequest> =>
  await workshop.newRequest({
    request: { limits: SWEEP_LIMITS, publishedFile: join(workshop.folder, "published.json") },
  });

/** What is wrong after the next build. */
async function goOn(lane: Lane, dead: BuildRequest, killAt = 0): Promise<readonly string[]> {
  lane.proxy.setRules([]);
  const { workshop } = lane;
  const killed = await readBuild(folderOf(workshop, dead));
  // a build whose last event is on disk has ended, whatever happens to its process
  const isOver =
    killed?.state === "interrupted" || (killAt === learned.events.length && killed?.state === "done");
  const ended = killed === null || isOver ? [] : [`the dead build is ${killed.state}`];
  tried.leftByTheDead += (await workshop.leftovers()).length;
  // the charm publishes what was verified, whoever died since
  const artifacts = (killed?.artifacts ?? []).map(
    ({ cloud, imageId }) => [cloud as LabProject, imageId] as const,
  );
  await publish(workshop.folder, new Map(artifacts));
  const next = await lane.build();
  const problems = [...ended, ...(await damage(lane, next))];
  if (next.outcome !== "done")
    problems.push(`the next build ${next.outcome}: ${next.build.errors.join("; ")}`);
  tried[problems.length === 0 ? "passed" : "damaged"] += 1;
  return problems;
}

async function inLane(work: (lane: Lane) => Promise<readonly string[]>): Promise<readonly string[]> {
  const lane = idle.pop() ?? (await openLane(await site.open()));
  await settle(lane);
  const problems = await work(lane);
  if (problems.length === 0) idle.push(lane);
  else await lane[Symbol.asyncDispose]();
  return problems;
}

afterAll(async () => {
  for (const lane of idle) await lane[Symbol.asyncDispose]();
  site[Symbol.dispose]();
  console.log(JSON.stringify(tried));
  if (!isWhole) return;
  await writeFigures("kill", [
    "| what | figure |",
    "| --- | --- |",
    `| points of a build at which its process was killed | ${tried.passed + tried.damaged} |`,
    `| of them: events of the journal | ${learned.events.length} |`,
    `| of them: calls that changed something and whose answer was still to come | ${learned.changes.length} |`,
    `| things that the dead builders left in the clouds, together | ${tried.leftByTheDead} |`,
    `| points after which the next build left everything in order | ${tried.passed} |`,
    `| points after which something was left, lost or double | ${tried.damaged} |`,
  ]);
});

const some = <T>(all: readonly T[], every: number): readonly T[] =>
  isWhole ? all : all.filter((_, index) => index % every === 1);

describe.concurrent("a builder killed once its journal tells", () => {
  const events = learned.events.map((name, index) => [name, index + 1] as const);
  test.for(some(events, 6))("%s (event %d)", async ([, killAt], { expect }) => {
    const problems = await inLane(async (lane) => {
      const request = await requestOf(lane);
      await once(startBuilder(lane, request, killAt), "exit");
      return await goOn(lane, request, killAt);
    });
    expect(problems).toEqual([]);
  });
});

describe.concurrent("a builder killed before it hears the answer to", () => {
  test.for(
    some(
      learned.changes.map((call) => [callName(call), call] as const),
      3,
    ),
  )("%s", async ([, call], { expect }) => {
    const problems = await inLane(async (lane) => {
      const request = await requestOf(lane);
      lane.proxy.forget();
      lane.proxy.setRules([ruleFor(call, { kind: "hang", when: "after" })]);
      const builder = startBuilder(lane, request, 0);
      const exit = once(builder, "exit");
      const isHit = (): boolean => lane.proxy.calls().some(({ fault }) => fault !== null);
      const struck = waitFor(AbortSignal.timeout(200_000), 20, async () => (isHit() ? true : undefined));
      await Promise.race([struck, exit]);
      if (builder.pid !== undefined && builder.exitCode === null) process.kill(-builder.pid, "SIGKILL");
      await exit;
      return [...(isHit() ? [] : ["the call did not come"]), ...(await goOn(lane, request))];
    });
    expect(problems).toEqual([]);
  });
});
