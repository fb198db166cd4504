/** Tokens that end before the build does: it signs in again, and makes nothing twice. */
import { describe, test, type ExpectStatic } from "vitest";
import { NORMAL } from "../../lab/faults/conditions.ts";
import { type Fault, type FaultRule, ruleOf } from "../../lab/faults/rules.ts";
import { waitFor } from "../../src/base/deadline.ts";
import type { JournalEvent } from "../../src/build/journal.ts";
import { getImage, getServer, waitForServerIdle } from "../../src/openstack/index.ts";
import { type BuildResult, useWorkshops } from "../support/build.ts";
import { randomFile } from "../support/mirror.ts";
import { formOf } from "./support/calls.ts";
import { damage, type Lane, openLane } from "./support/lanes.ts";

const openWorkshop = useWorkshops();
const { signal } = new AbortController();
/** In life, and more than the services take for what they do with a token that is half spent. */
const limits = {};

/** How many calls that make something came through, by what they make. */
function made({ proxy }: Lane): Readonly<Record<string, number>> {
  // what the proxy refused itself has no status of the service
  const isTaken = (status: number | null): boolean => status !== null && status !== 401;
  const count = (form: string): number =>
    proxy
      .calls()
      .filter(({ method, path, status }) => method === "POST" && formOf(path) === form && isTaken(status))
      .length;
  return {
    servers: count("/v2.1/servers"),
    "stops and snapshots": count("/v2.1/servers/{}/action"),
    "key pairs": count("/v2.1/os-keypairs"),
  };
}

const signIns = ({ proxy }: Lane): number =>
  proxy.calls().filter(({ service, method }) => service === "identity" && method === "POST").length;

async function expectWell(expect: ExpectStatic, lane: Lane, result: BuildResult): Promise<void> {
  expect(result.build.errors).toEqual([]);
  expect(result.outcome).toBe("done");
  expect(await damage(lane, result)).toEqual([]);
  expect(made(lane)).toEqual({ servers: 1, "stops and snapshots": 2, "key pairs": 1 });
  const copies = [...(await lane.workshop.images("runner-a")), ...(await lane.workshop.images("runner-b"))];
  expect(copies.map(({ status }) => status)).toEqual(["active", "active"]);
}

/** Tells another state than the true one until it is `true`, then ends all tokens and tells the truth. */
async function revokeWhen(
  { proxy }: Lane,
  hidden: Partial<FaultRule> & { readonly state: string; readonly instead: string },
  isTrue: () => Promise<boolean>,
): Promise<number> {
  const { state, instead, ...where } = hidden;
  const fault: Fault = {
    kind: "replace",
    pattern: `"status": ?"${state}"`,
    with: `"status": "${instead}"`,
  };
  proxy.setRules([ruleOf(fault, { method: "GET", times: null, ...where })]);
  await waitFor(signal, 100, async () => ((await isTrue()) ? true : undefined));
  const revoked = await proxy.revokeTokens();
  proxy.setRules([]);
  return revoked;
}

/** Holds the first such call until all tokens have been revoked under it. */
function revokeUnder({ proxy }: Lane, where: Partial<FaultRule>): Promise<number> {
  const before = proxy.struck();
  proxy.setRules([ruleOf({ kind: "delay", ms: 1500 }, where)]);
  return waitFor(signal, 10, async () => (proxy.struck() > before ? true : undefined)).then(
    proxy.revokeTokens,
  );
}

type Moment = (lane: Lane, event: JournalEvent) => Promise<number> | null;

const isCreated = (
  event: JournalEvent,
  kind: string,
): event is JournalEvent & { readonly event: "created" } => event.event === "created" && event.kind === kind;
const isBegun = (event: JournalEvent, step: string): boolean =>
  event.event === "step-started" && event.step === step;

const MOMENTS: readonly (readonly [string, Moment])[] = [
  [
    "while the server starts",
    (lane, event) => {
      if (!isCreated(event, "server")) return null;
      const hidden = { state: "ACTIVE", instead: "BUILD", path: "/servers/[^/]+$" };
      const { builder } = lane.workshop.clouds;
      const isActive = async (): Promise<boolean> =>
        (await getServer(builder, event.id, { signal })).status === "ACTIVE";
      return revokeWhen(lane, hidden, isActive);
    },
  ],
  [
    "while the snapshot is taken",
    (lane, event) => {
      if (!isCreated(event, "snapshot")) return null;
      const hidden = { state: "active", instead: "saving", path: `/images/${event.id}$` };
      const { builder } = lane.workshop.clouds;
      return revokeWhen(lane, hidden, async () => {
        if ((await getImage(builder, event.id, { signal })).status !== "active") return false;
        const server = lane.proxy.calls().find(({ path }) => /\/servers\/[^/]+\/action$/.test(path));
        const [, id = ""] = /servers\/([^/]+)/.exec(server?.path ?? "") ?? [];
        await waitForServerIdle(builder, id, { signal });
        return true;
      });
    },
  ],
  [
    "right before the image's data come down",
    (lane, event) =>
      isBegun(event, "upload the image")
        ? revokeUnder(lane, { service: "image", method: "GET", path: "/file$" })
        : null,
  ],
  [
    "right before the data go up to a target",
    (lane, event) =>
      isBegun(event, "upload the image")
        ? revokeUnder(lane, { service: "image", method: "PUT", path: "/file$" })
        : null,
  ],
  [
    "while the data go up",
    (lane, event) =>
      event.event === "progress" && event.step === "upload the image" ? lane.proxy.revokeTokens() : null,
  ],
];

describe.concurrent("all tokens", () => {
  test.for(MOMENTS)("are revoked %s, and the build goes on", async ([, moment], { expect }) => {
    await using lane = await openLane(await openWorkshop());
    lane.workshop.mirror.putImage("noble", randomFile(8 << 20));
    const revoking: Promise<number>[] = [];
    const result = await lane.build({
      request: { limits },
      onEvent: (event) => {
        const begun = revoking.length === 0 ? moment(lane, event) : null;
        if (begun !== null) revoking.push(begun);
      },
    });
    const [revoked] = await Promise.all(revoking);
    expect(revoked).toBeGreaterThan(0);
    await expectWell(expect, lane, result);
  });

  test("are refused from the beginning of each step and of each wait on, and the build goes on", async ({
    expect,
  }) => {
    await using lane = await openLane(await openWorkshop());
    const result = await lane.build({
      request: { limits },
      onEvent: ({ event }) => {
        if (event === "step-started" || event === "created") lane.proxy.refuseTokens();
      },
    });
    await expectWell(expect, lane, result);
    expect(lane.proxy.calls().filter(({ fault }) => fault !== null).length).toBeGreaterThan(7);
  });

  test("live for seconds: each is renewed in time", async ({ expect }) => {
    await using lane = await openLane(await openWorkshop());
    lane.proxy.setConditions({ ...NORMAL, tokenMs: 8000 });
    const result = await lane.build({ request: { limits } });
    await expectWell(expect, lane, result);
    const [first] = result.events;
    const tookMs = Date.parse(result.events.at(-1)?.at ?? "") - Date.parse(first?.at ?? "");
    expect(tookMs).toBeGreaterThan(8000);
    expect(signIns(lane)).toBeGreaterThan(5);
    // in time: no call was refused
    expect(lane.proxy.calls().filter(({ fault }) => fault !== null)).toEqual([]);
  });
});
