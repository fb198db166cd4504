import { describe, expect, test } from "vitest";
import type { JournalEvent } from "../../../src/build/journal.ts";
import { findNews } from "../../../src/build/releases.ts";
import { parseRequest } from "../../../src/build/request.ts";
import { requestWith } from "../../support/builds.ts";
import { startHttpServer } from "../../support/http-server.ts";

const never = new AbortController().signal;
const OLD = "ab".repeat(32);
const NEW = "cd".repeat(32);
const found = (image: string, what: string, value: string): JournalEvent => ({
  event: "found",
  at: "",
  image,
  what,
  value,
});
const EVENTS = [found("", "runner", "2.333.1"), found("noble-x64", "base image", OLD)];

/** What is news to a build with these events, where the mirrors offer this runner and this base image. */
async function newsOf(events: readonly JournalEvent[], runner: string, sha256: string, wanted = "latest") {
  await using server = await startHttpServer({
    "/r/latest": (_request, response) => response.writeHead(302, { location: `/r/tag/v${runner}` }).end(),
    "/i/noble/current/SHA256SUMS": `${sha256} *noble-server-cloudimg-amd64.img\n`,
  });
  const base = requestWith({
    images: [{ base: "noble", arch: "x64" }],
    baseImageMirror: `${server.url}/i`,
  });
  const recipe = { ...base.recipe, runnerMirror: `${server.url}/r`, runnerVersion: wanted };
  return await findNews(parseRequest(JSON.stringify({ ...base, recipe }), "x"), events, never);
}

describe("news to a build", () => {
  test("are none while the mirrors offer what it took", async () => {
    expect(await newsOf(EVENTS, "2.333.1", OLD)).toEqual([]);
  });

  test("are a runner and base images of other versions, a sentence each", async () => {
    expect(await newsOf(EVENTS, "2.334.0", NEW)).toEqual([
      "the runner is 2.334.0 now, not 2.333.1",
      `the base image of noble-x64 is ${NEW} now, not ${OLD}`,
    ]);
  });

  test("are none to one that did not get so far", async () => {
    expect(await newsOf([], "2.334.0", NEW)).toEqual([]);
  });

  test("are no runners where the version is pinned", async () => {
    expect(await newsOf(EVENTS, "2.334.0", OLD, "2.333.1")).toEqual([]);
  });
});
