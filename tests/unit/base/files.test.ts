import { spawnSync } from "node:child_process";
import {
  appendFile,
  chmod,
  mkdir,
  mkdtempDisposable,
  readdir,
  readFile,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  isMissing,
  readOptional,
  removeAtomic,
  stampOf,
  writeAtomic,
  writeIfChanged,
} from "../../../src/base/files.ts";
import { readProcessStat } from "../../../src/base/process-stat.ts";
import { startZombie } from "../../support/zombie.ts";

const temporary = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), "files-"));
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

describe("readOptional", () => {
  test("gives the text, or undefined for no file; any other trouble is an error", async () => {
    await using folder = await temporary();
    const path = join(folder.path, "file");
    expect(await readOptional(path)).toBeUndefined();
    await writeFile(path, "größe");
    expect(await readOptional(path)).toBe("größe");
    await expect(readOptional(folder.path)).rejects.toThrow("EISDIR");
    expect(isMissing(new Error("no such file"))).toBe(false);
  });
});

describe("stampOf", () => {
  test("changes with content, mode and file, and with nothing else", async () => {
    await using folder = await temporary();
    const path = join(folder.path, "file");
    expect(await stampOf(path)).toBe(null);
    const stamps = new Set<string | null>();
    for (const change of [
      () => writeFile(path, "one\n"),
      () => appendFile(path, "two\n"),
      () => chmod(path, 0o600),
      () => writeAtomic(path, "one\ntwo\n", 0o600),
    ]) {
      await change();
      const stamp = await stampOf(path);
      expect(stamps).not.toContain(stamp);
      stamps.add(stamp);
      await readFile(path);
      expect(await stampOf(path)).toBe(stamp);
    }
  });
});

describe("writeAtomic", () => {
  test("writes text and mode, and leaves no temporary file", async () => {
    await using folder = await temporary();
    const path = join(folder.path, "file");
    await writeAtomic(path, "secret\n", 0o600);
    expect(await readFile(path, "utf8")).toBe("secret\n");
    expect(await modeOf(path)).toBe("600");
    expect(await readdir(folder.path)).toEqual(["file"]);
  });

  test("replaces a file together with its mode", async () => {
    await using folder = await temporary();
    const path = join(folder.path, "file");
    await writeFile(path, "a much longer old text");
    await chmod(path, 0o644);
    await writeAtomic(path, "new", 0o600);
    expect(await readFile(path, "utf8")).toBe("new");
    expect(await modeOf(path)).toBe("600");
  });

  test("never shows a reader a part of a file", async () => {
    await using folder = await temporary();
    const path = join(folder.path, "file");
    const texts = ["a", "b"].map((letter) => letter.repeat(500_000));
    await writeAtomic(path, texts[0] ?? "", 0o600);
    let writing = true;
    const writer = (async () => {
      for (let n = 0; n < 20; n += 1) await writeAtomic(path, texts[n % 2] ?? "", 0o600);
      writing = false;
    })();
    const seen = new Set<string>();
    while (writing) seen.add(await readFile(path, "utf8"));
    await writer;
    expect([...seen].every((text) => texts.includes(text))).toBe(true);
  });

  test("two writers at a time both succeed and one of them wins", async () => {
    await using folder = await temporary();
    const path = join(folder.path, "file");
    await Promise.all(["one", "two"].map((text) => writeAtomic(path, text, 0o600)));
    expect(["one", "two"]).toContain(await readFile(path, "utf8"));
    expect(await readdir(folder.path)).toEqual(["file"]);
  });

  test("clears away what writers that were killed left of this file, and nothing else", async () => {
    await using folder = await temporary();
    const dead = spawnSync("true").pid;
    const torn = (name: string, pid: number, start = "1"): string =>
      `${name}.${pid}-${start}-0123456789ab.tmp`;
    const living = torn("file", process.pid, (await readProcessStat(process.pid))?.start);
    const others = [living, torn("other", dead), "file.0123456789ab.tmp"];
    // the second had our number before us
    for (const name of [torn("file", dead), torn("file", process.pid), ...others])
      await writeFile(join(folder.path, name), "half");
    await writeAtomic(join(folder.path, "file"), "whole", 0o600);
    expect((await readdir(folder.path)).toSorted()).toEqual([...others, "file"].toSorted());
    await writeFile(join(folder.path, torn("file", dead)), "half");
    await removeAtomic(join(folder.path, "file"));
    expect((await readdir(folder.path)).toSorted()).toEqual(others.toSorted());
    await removeAtomic(join(folder.path, "no/file"));
  });

  test("clears away what a writer left that was killed and that nobody has reaped", async () => {
    await using folder = await temporary();
    await using zombie = await startZombie();
    const left = `file.${zombie.pid}-${(await readProcessStat(zombie.pid))?.start}-0123456789ab.tmp`;
    await writeFile(join(folder.path, left), "half");
    await writeAtomic(join(folder.path, "file"), "whole", 0o600);
    expect(await readdir(folder.path)).toEqual(["file"]);
  });

  test("leaves the old file and no temporary one when it fails", async () => {
    await using folder = await temporary();
    await mkdir(join(folder.path, "file"));
    await expect(writeAtomic(join(folder.path, "file"), "x", 0o600)).rejects.toThrow("EISDIR");
    expect(await readdir(folder.path)).toEqual(["file"]);
    await expect(writeAtomic(join(folder.path, "no/file"), "x", 0o600)).rejects.toThrow("ENOENT");
  });
});

describe("writeIfChanged", () => {
  test("writes only what differs, but corrects the mode in any case", async () => {
    await using folder = await temporary();
    const path = join(folder.path, "file");
    expect(await writeIfChanged(path, "one", 0o600)).toBe(true);
    const { ino } = await stat(path);
    await chmod(path, 0o666);
    expect(await writeIfChanged(path, "one", 0o600)).toBe(false);
    expect((await stat(path)).ino).toBe(ino);
    expect(await modeOf(path)).toBe("600");
    expect(await writeIfChanged(path, "two", 0o600)).toBe(true);
    expect(await readFile(path, "utf8")).toBe("two");
  });
});
