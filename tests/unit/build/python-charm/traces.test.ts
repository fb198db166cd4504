import { generateKeyPairSync } from "node:crypto";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import ssh2 from "ssh2";
import { expect, test } from "vitest";
import {
  findTraces,
  formatTraces,
  logFilesIn,
  readTraces,
  tracesFile,
} from "../../../../src/build/python-charm/traces.ts";

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

test.each(["pkcs1", "pkcs8"] as const)("the public half of an RSA key in PEM (%s) is kept", async (type) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "traces-"));
  const keyFile = join(folder.path, "builder_key");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(keyFile, privateKey.export({ type, format: "pem" }));
  const traces = await findTraces([], keyFile, () => expect.unreachable());
  // who reads the first form alone
  const parsed = ssh2.utils.parseKey(privateKey.export({ type: "pkcs1", format: "pem" }));
  if (parsed instanceof Error) throw parsed;
  expect(traces.publicKey).toBe(`ssh-rsa ${parsed.getPublicSSH().toString("base64")}`);
});

test.each([
  ["no key", "no key"],
  ["another kind of key", generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" })],
])("%s is told", async (_what, text) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "traces-"));
  const keyFile = join(folder.path, "builder_key");
  await writeFile(keyFile, text);
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
