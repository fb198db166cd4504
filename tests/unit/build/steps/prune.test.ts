import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatPublished, readPublished } from "../../../../src/build/steps/prune.ts";

describe("the record of what is published", () => {
  const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), "prune-"));

  test("is read as it was written, equal ids giving equal bytes", async () => {
    await using target = await folder();
    const path = join(target.path, "published.json");
    await writeFile(path, formatPublished(["b", "a"]));
    expect(await readPublished(path)).toEqual(new Set(["a", "b"]));
    expect(formatPublished(["b", "a"])).toBe(formatPublished(["a", "b"]));
  });

  test("is null where the charm recorded nothing, which is not the same as nothing published", async () => {
    await using target = await folder();
    expect(await readPublished(join(target.path, "published.json"))).toBe(null);
  });

  test.each(["", "{}", '{"ids":[1]}'])("stops the pruning when it is broken: %j", async (text) => {
    await using target = await folder();
    await writeFile(join(target.path, "p"), text);
    await expect(readPublished(join(target.path, "p"))).rejects.toThrow(/JSON|Expected/);
  });
});
