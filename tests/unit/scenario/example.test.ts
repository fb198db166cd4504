import { execFile } from "node:child_process";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));

it("the example in CONTRIBUTING.md runs as it stands there", async () => {
  const text = await readFile(join(REPOSITORY, "CONTRIBUTING.md"), "utf8");
  const [, example = ""] = /^```ts\n(.*?)^```$/ms.exec(text) ?? [];
  expect(example.trim().split("\n").length).toBeLessThanOrEqual(16);
  await using folder = await mkdtempDisposable(join(tmpdir(), "example-"));
  const file = join(folder.path, "example.ts");
  await writeFile(file, `${example.replace("./lab/", `${REPOSITORY}lab/`)}console.log("reached the end");\n`);
  const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: REPOSITORY });
  expect(stdout).toBe("reached the end\n");
}, 30_000);
