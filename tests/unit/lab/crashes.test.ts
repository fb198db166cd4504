import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCrashes } from "../../../lab/crashes.ts";

test("gives what services log of their crashes, and nothing of errors that they live through", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "crashes-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const crash =
    "2026-11-26 05:16:00.276 16132 CRITICAL neutron [-] Unhandled error: OverflowError: timeout is too large";
  const death =
    "2026-11-26 05:18:02.569 15997 INFO oslo_service.service [-] Child 16428 exited with status 0";
  await writeFile(
    join(folder, "neutron.log"),
    [
      "2026-11-26 05:16:00.274 16132 ERROR neutron.service [-] Unrecoverable error: OverflowError",
      crash,
      "2026-11-26 05:16:00.276 16132 ERROR neutron Traceback (most recent call last):",
      "2026-11-26 05:16:01.000 15997 INFO neutron.wsgi [-] a request that names CRITICAL",
      "2026-11-26 05:16:01.100 15997 INFO oslo_service.service [-] Started child 16428",
      death,
      "",
    ].join("\n"),
  );
  await writeFile(join(folder, "neutron.log.1"), `${crash}\n`);
  await mkdir(join(folder, "rabbitmq"));
  expect(await readCrashes(folder)).toEqual([`neutron.log: ${crash}`, `neutron.log: ${death}`]);
  expect(await readCrashes(join(folder, "absent"))).toEqual([]);
});
