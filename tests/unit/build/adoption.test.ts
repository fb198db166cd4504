/** What an adoption makes of what a cloud says; the rest is seen on real clouds. */
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exists } from "../../../src/base/files.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { adopt } from "../../../src/build/adoption.ts";
import type { NewJournalEvent } from "../../../src/build/journal.ts";
import { ownerTags, TAG } from "../../../src/build/names.ts";
import { formatTraces, tracesFile } from "../../../src/build/python-charm/traces.ts";
import { formatPublished } from "../../../src/build/steps/prune.ts";
import type { BuildRequest } from "../../../src/build/types.ts";
import { OWNER, requestWith } from "../../support/builds.ts";
import { bodyOf, json, openStub, startStub, type Stub } from "../../support/openstack-stub.ts";

const SPEC = { base: "noble", arch: "x64" } as const;
const IMAGES = "/image/v2/images";

const image = (id: string, hash: string, changes: object = {}): object => ({
  id,
  name: "builder-noble-x64",
  status: "active",
  visibility: "private",
  owner: "p1",
  size: 10,
  os_hash_algo: "sha512",
  os_hash_value: hash,
  created_at: "2026-11-20T10:11:12Z",
  ...changes,
});

/** Runs an adoption in the stub's cloud, called `stub`; gives what was journalled and said. */
async function adoptIn(
  stub: Stub,
  {
    published,
    logged,
    ...changes
  }: Partial<BuildRequest> & {
    readonly published: readonly string[];
    readonly logged: readonly string[];
  },
) {
  await using folder = await mkdtempDisposable(join(tmpdir(), "adoption-"));
  const publishedFile = join(folder.path, "published.json");
  await writeFile(publishedFile, formatPublished(published));
  const traces = { images: logged, snapshots: [], servers: [], publicKey: null };
  await writeFile(tracesFile(publishedFile), formatTraces(traces));
  const sources = published.map((id) => ({ spec: SPEC, cloud: "stub", imageId: id, buildId: id }));
  const request = requestWith({ kind: "adopt", publishedFile, sources, owner: OWNER, ...changes });
  using cloud = await openStub(stub);
  const events: NewJournalEvent[] = [];
  const journal = { add: (event: NewJournalEvent): void => void events.push(event) };
  const { signal } = new AbortController();
  const error = await adopt({
    request,
    targets: { names: ["stub"], clouds: [cloud], failures: [] },
    context: { image: "", log: silentLogger, journal, signal },
    isClean: true,
  });
  return {
    error: error?.message ?? null,
    events: events.filter(({ event }) => !event.startsWith("step-")),
    keepsTraces: await exists(tracesFile(publishedFile)),
  };
}

test("an image that the cloud does not let us tag is there all the same, and tried again", async () => {
  await using stub = await startStub();
  stub.answer("GET", IMAGES, json(200, { images: [image("i1", "abcdef")] }));
  stub.answer("PATCH", `${IMAGES}/i1`, json(403, { message: "not allowed" }));
  const { error, events, keepsTraces } = await adoptIn(stub, { published: ["i1"], logged: [] });
  expect(error).toMatch(/^cannot adopt all images: image builder-noble-x64 \(i1\) in stub: .*not allowed/);
  expect(events).toEqual([
    expect.objectContaining({ event: "leftover", what: "image builder-noble-x64 (i1) in stub" }),
    { event: "targets", image: "", clouds: ["stub"] },
  ]);
  expect(keepsTraces).toBe(true);
});

test("a cloud that does not list its images is neither served nor lacking, and tried again", async () => {
  await using stub = await startStub();
  stub.answer("GET", IMAGES, json(403, { message: "not allowed" }));
  const { error, events, keepsTraces } = await adoptIn(stub, { published: ["i1"], logged: [] });
  expect(error).toMatch(/^cannot adopt all images: stub: .*not allowed/);
  expect(events).toEqual([
    expect.objectContaining({ event: "leftover", what: "stub" }),
    { event: "targets", image: "", clouds: ["stub"] },
  ]);
  expect(keepsTraces).toBe(true);
});

test("content that is ours already gives its revision to what is adopted", async () => {
  await using stub = await startStub();
  const ours = { ...ownerTags(OWNER, "b", "runner"), [TAG.revision]: "20261101t000000000-0000" };
  const images = [image("i1", "abcdef"), image("i2", "abcdef", ours), image("i3", "123456")];
  stub.answer("GET", IMAGES, json(200, { images }));
  const patches: string[] = [];
  for (const id of ["i1", "i3"]) {
    stub.answer("PATCH", `${IMAGES}/${id}`, async (request, response) => {
      patches.push(await bodyOf(request));
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify(image(id, "abcdef")));
    });
  }
  const { error, events, keepsTraces } = await adoptIn(stub, { published: ["i1"], logged: ["i3"] });
  expect(error).toBeNull();
  expect(events).toEqual([
    expect.objectContaining({
      event: "artifact",
      imageId: "i1",
      build: "20261101t000000000-0000",
      made: "2026-11-20T10:11:12.000Z",
    }),
    { event: "targets", image: "", clouds: ["stub"] },
  ]);
  expect(patches).toHaveLength(2);
  expect(patches[0]).toContain("20261101t000000000-0000");
  // a build's id of the time when the image was made
  expect(patches[1]).toContain("20261120t101112000-1234");
  expect(keepsTraces).toBe(false);
});

test.each([
  ["of another name", { name: "builder-noble-x64-copy" }],
  ["of another application of ours", ownerTags({ ...OWNER, application: "other" }, "b", "runner")],
  ["of another model", ownerTags({ ...OWNER, modelUuid: "other" }, "b", "runner")],
])("an image %s is not ours, though its id is published", async (_what, changes) => {
  await using stub = await startStub();
  stub.answer("GET", IMAGES, json(200, { images: [image("i1", "abcdef", changes)] }));
  const { error, events } = await adoptIn(stub, { published: ["i1"], logged: ["i1"] });
  expect(error).toBeNull();
  expect(events).toEqual([{ event: "targets", image: "", clouds: [] }]);
  expect(stub.seen.filter(({ method }) => method !== "GET")).toEqual([]);
});

test("a build beside an adoption tags as well, and says nothing of what it did not make", async () => {
  await using stub = await startStub();
  stub.answer("GET", IMAGES, json(200, { images: [image("i1", "abcdef")] }));
  stub.answer("PATCH", `${IMAGES}/i1`, json(200, image("i1", "abcdef")));
  const some = await adoptIn(stub, { kind: "build", published: ["i1"], logged: [], targets: ["stub"] });
  expect(some).toEqual({ error: null, events: [], keepsTraces: true });
  const all = await adoptIn(stub, { kind: "build", published: ["i1"], logged: [] });
  expect(all).toEqual({ error: null, events: [], keepsTraces: false });
});
