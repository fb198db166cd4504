import { generateKeyPairSync } from "node:crypto";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { expect, test } from "vitest";
import {
  findTraces,
  formatTraces,
  logFilesIn,
  readTraces,
  tracesFile,
} from "../../../../src/build/python-charm/traces.ts";
import { generateKeyPair } from "../../../../src/ssh/keys.ts";

const id = (number: number): string => `0a1b2c3d-0000-4000-8000-00000000000${number}`;
const none = { images: [], snapshots: [], servers: [], publicKey: null };

test("the log's sentences tell what was made, in every rotation and behind any prefix", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "traces-"));
  const log = (name: string): string => join(folder.path, name);
  await writeFile(
    log("info.log"),
    [
      `2026-11-24 06:00:01,123 - INFO - Image created successfully, app-noble-x64 ${id(1)}.`,
      `INFO:github_runner_image_builder.store:Snapshot created successfully, app-noble-x64 ${id(2)}.`,
      `Launched builder, waiting for cloud-init to complete: ${id(3)}.`,
      `Deleting builder VM: app-image-builder-noble-x64 (${id(4)})`,
      `Pruning older images app-noble-x64, keeping 5 ${id(5)}.`,
      `Image created successfully, app-noble-x64 ${id(6)}. And more`,
      "Image created successfully, app-noble-x64 not-an-id.",
    ].join("\n"),
  );
  await writeFile(log("info.log.1"), `Image created successfully, app-noble-x64 ${id(7)}.\n`);
  const packed = await promisify(gzip)(
    `Image created successfully, app-image-builder-base-jammy-x64 ${id(8)}.\n`,
  );
  await writeFile(log("info.log.2.gz"), packed);
  await writeFile(log("other.log"), `Image created successfully, app-noble-x64 ${id(9)}.\n`);
  const files = await logFilesIn(folder.path);
  expect(files.map((file) => file.slice(folder.path.length + 1)).toSorted()).toEqual([
    "info.log",
    "info.log.1",
    "info.log.2.gz",
  ]);
  const traces = await findTraces(files.toSorted(), log("no-key"), () => expect.unreachable());
  expect(traces).toEqual({ ...none, images: [id(1), id(7), id(8)], snapshots: [id(2)], servers: [id(3)] });
});

test("a log that cannot be read is told, and the others count", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "traces-"));
  const broken = join(folder.path, "info.log.2.gz");
  const good = join(folder.path, "info.log");
  await writeFile(broken, "no gzip");
  await writeFile(good, `Image created successfully, a ${id(1)}.\n`);
  const unreadable: string[] = [];
  const traces = await findTraces([broken, good], join(folder.path, "none"), (file) => unreadable.push(file));
  expect(traces).toEqual({ ...none, images: [id(1)] });
  expect(unreadable).toEqual([broken]);
});

test("no folder has no logs", async () => {
  expect(await logFilesIn("/nowhere/at/all")).toEqual([]);
});

test.each([
  [
    "PEM as Nova makes it",
    () =>
      generateKeyPairSync("rsa", { modulusLength: 2048 })
        .privateKey.export({ type: "pkcs1", format: "pem" })
        .toString(),
    /^ssh-rsa AAAAB3NzaC1yc2E[A-Za-z0-9+/]+=*$/,
  ],
  [
    "OpenSSH's own form",
    async () => (await generateKeyPair("c")).privateKey,
    /^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5[A-Za-z0-9+/]+=*$/,
  ],
])("the public half of a key in %s is kept", async (_form, make, expected) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "traces-"));
  const keyFile = join(folder.path, "builder_key");
  await writeFile(keyFile, await make());
  const traces = await findTraces([], keyFile, () => expect.unreachable());
  expect(traces.publicKey).toMatch(expected);
});

test("what is no key is told", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "traces-"));
  const keyFile = join(folder.path, "builder_key");
  await writeFile(keyFile, "no key");
  const unreadable: string[] = [];
  expect(await findTraces([], keyFile, (file) => unreadable.push(file))).toEqual(none);
  expect(unreadable).toEqual([keyFile]);
});

test("traces are kept beside the file that says what is published", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "traces-"));
  const publishedFile = join(folder.path, "published.json");
  expect(await readTraces(publishedFile)).toBeNull();
  const traces = { images: [id(1)], snapshots: [], servers: [id(2)], publicKey: "ssh-rsa AAAA" };
  await writeFile(tracesFile(publishedFile), formatTraces(traces));
  expect(await readTraces(publishedFile)).toEqual(traces);
  expect(tracesFile(publishedFile)).toBe(join(folder.path, "python-charm.json"));
});
