import { appendFile, mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openOutcomes } from "../../faults/support/outcomes.ts";

test("outcomes are whole when each case has one, and the newest of a case counts", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "outcomes-"));
  const first = await openOutcomes("sweep", folder.path);
  expect(first.commit).toMatch(/^([0-9a-f]{7,}|unknown)$/);
  first.note("a", "damaged", 10);
  expect(await first.of(["a", "b"])).toBe(null);
  // the run was cut short in the middle of a line
  await appendFile(join(folder.path, "sweep.jsonl"), '{"case": "b"\n');
  const second = await openOutcomes("sweep", folder.path);
  expect(await second.of(["a", "b"])).toBe(null);
  second.note("b", "failed", 20);
  second.note("a", "done", 30);
  expect(await second.of(["a", "b"])).toMatchObject([
    { case: "a", outcome: "done", ms: 30 },
    { case: "b", outcome: "failed", ms: 20 },
  ]);
});
