/** Things of a build that fail, vanish or find no room while it works with them: one sentence each, and nothing is left. */
import { describe, test } from "vitest";
import { type Fault, type FaultRule, ruleOf } from "../../lab/faults/rules.ts";
import type { JournalEvent } from "../../src/build/journal.ts";
import { baseImageName, runnerImageName } from "../../src/build/names.ts";
import { deleteImage, deleteServer, waitForServerGone } from "../../src/openstack/index.ts";
import { useWorkshops } from "../support/build.ts";
import { damage, type Lane, openLane } from "./support/lanes.ts";

const openWorkshop = useWorkshops();
const SPEC = { base: "noble", arch: "x64" } as const;
const QUOTA = "raise the project's quota or delete what is not needed there";

interface Case {
  readonly what: string;
  readonly rules?: readonly FaultRule[];
  /** Awaited at the build's end. */
  readonly strike?: (lane: Lane, event: JournalEvent) => Promise<void> | null;
  readonly error: RegExp;
  readonly advice?: string;
  /** Targets that got their copies all the same. */
  readonly copies: readonly string[];
}

const options = { signal: new AbortController().signal, everyMs: 300 };
const refusal = (status: number, message: string): Fault => ({ kind: "status", status, message });
const inState = (status: string, fault = ""): Fault => ({
  kind: "replace",
  pattern: '"status": ?"[A-Za-z_]+"',
  with: `"status": "${status}"${fault}`,
});
const begins = (event: JournalEvent, step: string): boolean =>
  event.event === "step-started" && event.step === step;

const dropServer = async ({ proxy, workshop }: Lane): Promise<void> => {
  const paths = proxy.calls().map(({ path }) => /\/servers\/([0-9a-f-]{36})$/.exec(path)?.[1]);
  const id = paths.find((one) => one !== undefined) ?? "";
  await deleteServer(workshop.clouds.builder, id, options);
  await waitForServerGone(workshop.clouds.builder, id, options);
};

const CASES: readonly Case[] = [
  {
    what: "the project has no room for the server any more",
    rules: [
      ruleOf(refusal(403, "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances"), {
        service: "compute",
        method: "POST",
        path: "/servers$",
        times: null,
      }),
    ],
    error: /^noble-x64: cannot launch the builder: .*Quota exceeded for instances: Requested 1, /,
    advice: QUOTA,
    copies: [],
  },
  {
    what: "Glance has no room for the snapshot",
    rules: [
      ruleOf(refusal(413, "Quota exceeded: images"), {
        service: "compute",
        method: "POST",
        path: "/action$",
        nth: 2,
      }),
    ],
    error: /^noble-x64: cannot take the snapshot: .*Quota exceeded: images/,
    advice: QUOTA,
    copies: [],
  },
  {
    what: "one target has no room for its copy",
    rules: [
      ruleOf(refusal(413, "The size of the data would exceed the quota"), {
        service: "image",
        method: "PUT",
        path: "/file$",
        // the first is the base image
        nth: 2,
      }),
    ],
    error: /^noble-x64: no copy in runner-[ab]: .*would exceed the quota \(HTTP 413 from image\)$/,
    copies: ["one of them"],
  },
  {
    what: "the server goes to ERROR while it starts",
    rules: [
      ruleOf(inState("ERROR", ', "fault": {"code": 500, "message": "No valid host was found"}'), {
        service: "compute",
        method: "GET",
        path: "/servers/[0-9a-f-]{36}$",
      }),
    ],
    error:
      /^noble-x64: cannot launch the builder: server \S+ did not become ACTIVE: it is in ERROR \(No valid host was found\)$/,
    copies: [],
  },
  {
    what: "the server vanishes before it is stopped",
    strike: (lane, event) => (begins(event, "clean the guest") ? dropServer(lane) : null),
    error: /^noble-x64: cannot (clean the guest|stop the builder|take the snapshot): .*server \S+ /,
    copies: [],
  },
  {
    what: "the snapshot is killed",
    strike: (lane, event) => {
      if (event.event !== "created" || event.kind !== "snapshot") return null;
      const where = { service: "image", method: "GET", path: `/images/${event.id}$` } as const;
      lane.proxy.setRules([ruleOf(inState("killed"), where)]);
      return Promise.resolve();
    },
    error: /^noble-x64: cannot take the snapshot: image \S+ did not become active: it is killed$/,
    copies: [],
  },
  {
    what: "the snapshot is deleted while it is taken",
    strike: ({ proxy, workshop }, event) => {
      if (event.event !== "created" || event.kind !== "snapshot") return null;
      // however fast Nova is
      const hidden: Fault = { kind: "replace", pattern: '"status": ?"active"', with: '"status": "saving"' };
      proxy.setRules([
        ruleOf(hidden, { service: "image", method: "GET", path: `/images/${event.id}$`, times: null }),
      ]);
      return deleteImage(workshop.clouds.builder, event.id, options);
    },
    error: /^noble-x64: cannot take the snapshot: image \S+ did not become active: it is (gone: .*|deleted)$/,
    copies: [],
  },
  {
    what: "the snapshot is deleted before it is copied",
    rules: [
      ruleOf({ kind: "delay", ms: 2000 }, { service: "image", method: "GET", path: "/file$", times: null }),
    ],
    strike: (lane, event) => {
      if (!begins(event, "upload the image")) return null;
      const made = lane.proxy.calls().findLast(({ path }) => /^\/v2\/images\/[0-9a-f-]{36}$/.test(path));
      return deleteImage(lane.workshop.clouds.builder, made?.path.split("/").at(-1) ?? "", options);
    },
    error:
      /^noble-x64: cannot upload the image: no copy in (runner-[ab]: cannot [^;]*\(HTTP 404 from image\)(; )?){2}$/,
    copies: [],
  },
  {
    what: "a copy is deleted while it is filled",
    rules: [
      ruleOf({ kind: "delay", ms: 2000 }, { service: "image", method: "PUT", path: "/file$", times: 3 }),
    ],
    strike: ({ workshop }, event) =>
      event.event === "created" && event.name === runnerImageName(workshop.owner, SPEC)
        ? deleteImage(workshop.clouds["runner-a"], event.id, options)
        : null,
    error: /^noble-x64: no copy in runner-a: .*image/,
    copies: ["runner-b"],
  },
  {
    what: "the base image is deleted before the server starts from it",
    strike: async ({ workshop, proxy }, event) => {
      if (!begins(event, "launch the builder")) return;
      proxy.setRules([
        ruleOf({ kind: "delay", ms: 2000 }, { service: "compute", method: "POST", path: "/servers$" }),
      ]);
      const name = baseImageName(workshop.owner, SPEC);
      for (const image of await workshop.images("builder"))
        if (image.name === name) await deleteImage(workshop.clouds.builder, image.id, options);
    },
    error: /^noble-x64: cannot launch the builder: .*/,
    copies: [],
  },
];

describe.concurrent("while a build is at it,", () => {
  test.for(CASES)("$what", async ({ rules = [], strike, error, advice, copies }, { expect }) => {
    await using lane = await openLane(await openWorkshop());
    lane.proxy.setRules(rules);
    const strikes: Promise<void>[] = [];
    const result = await lane.build({
      onEvent: (event) => {
        const struck = strike?.(lane, event) ?? null;
        if (struck !== null) strikes.push(struck);
      },
    });
    await Promise.all(strikes);
    expect(result.build.errors).toEqual([expect.stringMatching(error)]);
    if (advice !== undefined) expect(result.build.advice).toBe(advice);
    expect(result.outcome).toBe("failed");
    const got = result.build.artifacts.map(({ cloud }) => cloud);
    if (copies[0] === "one of them") expect(got).toHaveLength(1);
    else expect(got).toEqual(copies);
    expect(await damage(lane, result)).toEqual([]);
  });
});
