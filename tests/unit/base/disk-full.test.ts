import { mkdtempDisposable, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { asDiskFull } from "../../../src/base/disk-full.ts";
import { AppError } from "../../../src/base/errors.ts";
import { writeAtomic } from "../../../src/base/files.ts";
import { mountSmallDisk } from "../../support/small-disk.ts";

test("a file that finds no room is as it was, and the error names it", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "full-"));
  await using disk = await mountSmallDisk(folder.path, 64 * 1024);
  const path = join(folder.path, "file");
  await writeAtomic(path, "old", 0o600);
  disk.fill();
  await expect(writeAtomic(path, "x".repeat(20_000), 0o600)).rejects.toThrow(
    `the disk of this machine is full: cannot write ${path}; free some space`,
  );
  expect(await readFile(path, "utf8")).toBe("old");
  expect((await readdir(folder.path)).toSorted()).toEqual(["file", "fill"]);
  await disk.empty();
  await writeAtomic(path, "new", 0o600);
  expect(await readFile(path, "utf8")).toBe("new");
});

test("is seen however deep it is, and nothing else is", () => {
  const system = Object.assign(new Error("ENOSPC: no space left on device, mkdir"), {
    code: "ENOSPC",
    path: "/a",
  });
  const deep = new AppError("cannot", { cause: new AppError("cannot either", { cause: system }) });
  expect(asDiskFull(deep, "/b")?.message).toBe(
    "the disk of this machine is full: cannot write /a; free some space",
  );
  expect(asDiskFull(Object.assign(new Error("no"), { code: "EDQUOT" }), "/b")?.message).toContain("/b");
  expect(asDiskFull(new AppError("cannot"), "/b")).toBe(null);
  expect(asDiskFull("ENOSPC", "/b")).toBe(null);
});
