import { mkdtempDisposable, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openLogFiles } from "../../../src/cli/log-files.ts";

describe("log files", () => {
  test("get every line that the first place gets, behind what they hold", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "logs-"));
    const files = [join(folder.path, "a.log"), join(folder.path, "new", "b.log")];
    await writeFile(files[0] ?? "", "before\n");
    const lines: string[] = [];
    {
      using log = openLogFiles({ write: (line) => lines.push(line) }, files);
      log.write("one\n");
      log.write("two\n");
    }
    expect(lines).toEqual(["one\n", "two\n"]);
    expect(await readFile(files[0] ?? "", "utf8")).toBe("before\none\ntwo\n");
    expect(await readFile(files[1] ?? "", "utf8")).toBe("one\ntwo\n");
    expect((await stat(files[1] ?? "")).mode & 0o007).toBe(0);
  });

  test("that cannot be written are told of once and left out", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "logs-"));
    const blocked = join(folder.path, "file", "x.log");
    await writeFile(join(folder.path, "file"), "");
    const lines: string[] = [];
    using log = openLogFiles({ write: (line) => lines.push(line) }, [blocked, "/dev/full"]);
    log.write("one\n");
    log.write("two\n");
    expect(
      lines.map((line) => (line.startsWith("{") ? (JSON.parse(line) as { file: string }).file : line)),
    ).toEqual([blocked, "one\n", "/dev/full", "two\n"]);
  });
});
