import { mkdtempDisposable, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formsOf, searchFile } from "../../../lab/story/search-disk.ts";

const signal = AbortSignal.timeout(60_000);
const SECRET = `a b; $(x) "double" 'single' = % \\ ende`;

/** A sparse disk of 256 MiB with `data` in its middle. */
async function diskWith(folder: string, data: string): Promise<string> {
  const path = join(folder, "disk.raw");
  await using file = await open(path, "w");
  await file.truncate(256 * 1024 * 1024);
  await file.write(data, 128 * 1024 * 1024 + 65_535);
  return path;
}

describe("the search of a disk", () => {
  test.each([
    ["as it is", SECRET],
    ["in base64 within something else", Buffer.from(`user:${SECRET}!`).toString("base64")],
    ["in base64 within something else, shifted", Buffer.from(`user::${SECRET}`).toString("base64")],
    ["in base64 within something else, shifted twice", Buffer.from(`user:::${SECRET}?`).toString("base64")],
    ["in an address", encodeURIComponent(SECRET)],
    ["as JSON", JSON.stringify({ token: SECRET })],
    ["quoted for a shell", `export TOKEN='${SECRET.replaceAll("'", `'\\''`)}'`],
  ])("finds a secret %s", async (_how, data) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "search-"));
    const path = await diskWith(folder.path, data);
    const { found, diskBytes } = await searchFile(path, [{ what: "secret", text: SECRET }], signal);
    expect(new Set(found)).toEqual(new Set(["secret"]));
    expect(diskBytes).toBe(256 * 1024 * 1024);
  });

  test("finds a line of a secret of many lines", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "search-"));
    const path = await diskWith(folder.path, "x second line y");
    const text = "first line\nsecond line\n";
    expect((await searchFile(path, [{ what: "key", text }], signal)).found).toHaveLength(1);
  });

  test("finds nothing where nothing is", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "search-"));
    const path = await diskWith(folder.path, "harmless");
    expect((await searchFile(path, [{ what: "secret", text: SECRET }], signal)).found).toEqual([]);
  });

  test("refuses what is too short", async () => {
    await expect(searchFile("/dev/null", [{ what: "pin", text: "1234" }], signal)).rejects.toThrow(
      "too short",
    );
  });

  test("knows forms of at least six bytes only", () => {
    for (const form of formsOf("ab\ncdefghij")) expect(form.length).toBeGreaterThan(5);
  });
});
