import { describe, expect, test } from "vitest";
import { registerSecret } from "../../../src/base/redact.ts";
import { createLogger } from "../../../src/base/log.ts";
import type { Build, BuildState } from "../../../src/build/history.ts";
import { messagesAtEnd, messagesAtStart, notify } from "../../../src/build/notify.ts";
import { artifactWith, buildWith, requestWith } from "../../support/builds.ts";
import { deadUrl, startHttpServer } from "../../support/http-server.ts";

const NOW = new Date("2026-11-24T01:02:03.000Z");
const request = requestWith();
const past = (...states: BuildState[]): Build[] => states.map((state) => buildWith({ state }));
const events = (before: readonly Build[], build: Build): string[] =>
  messagesAtEnd(request, before, build, NOW).map(({ event }) => event);
const published = { published: ["image-1"], artifacts: [artifactWith()] };

describe("a webhook is told", () => {
  test.each<[string, readonly Build[], Build, string[]]>([
    ["nothing of a good build that changed nothing", past("done"), buildWith(), []],
    ["of a publication", past("done"), buildWith(published), ["published"]],
    ["of a failure", past("done"), buildWith({ state: "failed", errors: ["x"] }), ["failed"]],
    [
      "of both when some clouds failed",
      past("done"),
      buildWith({ state: "failed", errors: ["x"], ...published }),
      ["failed", "published"],
    ],
    [
      "of the first success after a failure",
      past("failed"),
      buildWith(published),
      ["recovered", "published"],
    ],
    ["of it also across what was cancelled", past("failed", "cancelled"), buildWith(), ["recovered"]],
    ["of a success after an interruption", past("interrupted"), buildWith(), ["recovered"]],
    ["of it once", past("failed", "done"), buildWith(), []],
    [
      "nothing of what somebody cancelled",
      past("failed"),
      buildWith({ state: "cancelled", errors: ["x"] }),
      [],
    ],
  ])("%s", (_what, before, build, expected) => {
    expect(events(before, build)).toEqual(expected);
  });

  test.each(["initialise", "adopt"] as const)("nothing of the kind %s, which brings no images", (kind) => {
    expect(messagesAtEnd(requestWith({ kind }), past("failed"), buildWith(), NOW)).toEqual([]);
  });

  test("of an interruption when the next build begins, by the one right behind it", () => {
    const [message, ...more] = messagesAtStart(request, past("done", "interrupted"), NOW);
    expect(more).toEqual([]);
    expect(message).toMatchObject({ event: "failed", error: "build 20261123t195102-3f9a was interrupted" });
    expect(messagesAtStart(request, past("interrupted", "done"), NOW)).toEqual([]);
  });

  test("in words that need no other page", () => {
    const build = buildWith({ state: "failed", errors: ["noble-x64: no host"], advice: "look at the cloud" });
    expect(messagesAtEnd(request, [], build, NOW)).toEqual([
      {
        event: "failed",
        text: "builder/0: build 20261123t195102-3f9a of noble-x64 failed: noble-x64: no host; look at the cloud",
        application: "builder",
        unit: "builder/0",
        model: request.owner.modelUuid,
        build: "20261123t195102-3f9a",
        images: ["noble-x64"],
        clouds: [],
        error: "noble-x64: no host",
        advice: "look at the cloud",
        at: "2026-11-24T01:02:03.000Z",
      },
    ]);
  });
});

describe("a message", () => {
  const messages = messagesAtEnd(request, [], buildWith(published), NOW);
  const logged = (): { readonly lines: string[]; readonly log: ReturnType<typeof createLogger> } => {
    const lines: string[] = [];
    return { lines, log: createLogger({ write: (line) => void lines.push(line) }, "info") };
  };

  test("arrives as JSON, also when the service fails at first", async () => {
    const bodies: string[] = [];
    let failures = 1;
    await using server = await startHttpServer({
      "/hook/tok-en?x=1": (incoming, response) => {
        incoming.on("data", (chunk: Buffer) => bodies.push(chunk.toString()));
        incoming.on("end", () => response.writeHead((failures -= 1) >= 0 ? 503 : 200).end());
      },
    });
    const { lines, log } = logged();
    await notify(`${server.url}/hook/tok-en?x=1`, messages, log);
    expect(bodies).toHaveLength(2);
    expect(JSON.parse(bodies[1] ?? "")).toEqual(messages[0]);
    expect(lines.join("")).toContain("told the webhook");
    expect(lines.join("")).not.toContain("tok-en");
  });

  test("follows no redirect: another host must not get the right to post", async () => {
    await using other = await startHttpServer({ "/steal": "" });
    await using server = await startHttpServer({
      "/hook": (_incoming, response) => response.writeHead(307, { location: `${other.url}/steal` }).end(),
    });
    const { lines, log } = logged();
    await notify(`${server.url}/hook`, messages, log);
    expect(other.paths).toEqual([]);
    expect(server.paths).toHaveLength(1);
    expect(lines.join("")).toContain("it redirects (HTTP 307), which is not followed");
  });

  test.each([
    [404, 1],
    [429, 3],
  ])("that HTTP %i refuses is tried %i times, and no build fails for it", async (status, tries) => {
    await using server = await startHttpServer({
      "/hook": (_incoming, response) => response.writeHead(status).end(),
    });
    const { lines, log } = logged();
    await notify(`${server.url}/hook`, messages, log);
    expect(server.paths).toHaveLength(tries);
    expect(lines.join("")).toContain(`HTTP ${status}`);
  });

  test("that finds nobody is told of by the host alone", async () => {
    const url = `${await deadUrl()}/hook/tok-2`;
    registerSecret(url);
    const { lines, log } = logged();
    await notify(url, messages, log);
    expect(lines.join("")).toContain("no reply");
    expect(lines.join("")).toContain(new URL(url).host);
    expect(lines.join("")).not.toContain("tok-2");
  });
});
