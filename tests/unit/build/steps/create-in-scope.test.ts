import { expect, test } from "vitest";
import { CancelledError } from "../../../../src/base/errors.ts";
import { silentLogger } from "../../../../src/base/log.ts";
import { ResourceScope } from "../../../../src/base/scope.ts";
import { createInScope } from "../../../../src/build/steps/create-in-scope.ts";

test("deletes what a request under way makes after the cancel", async () => {
  const cancel = new AbortController();
  const reply = Promise.withResolvers<string>();
  const deleted: string[] = [];
  const seen: boolean[] = [];
  let waiting: Promise<unknown>;
  {
    await using scope = new ResourceScope(silentLogger);
    waiting = createInScope(
      scope,
      "server",
      cancel.signal,
      async (patience) => {
        const id = await reply.promise;
        seen.push(patience.aborted);
        return id;
      },
      async (id) => void deleted.push(id),
    );
    waiting.catch(() => {});
    cancel.abort(new CancelledError("enough"));
    setImmediate(() => reply.resolve("s1"));
  }
  await expect(waiting).rejects.toThrow("enough");
  expect(deleted).toEqual(["s1"]);
  // the request itself was not broken off
  expect(seen).toEqual([false]);
});

test("has nothing to delete when the request failed, and passes its error on", async () => {
  const deleted: unknown[] = [];
  {
    await using scope = new ResourceScope(silentLogger, (what) => deleted.push(what));
    await expect(
      createInScope(
        scope,
        "server",
        new AbortController().signal,
        async () => await Promise.reject(new Error("quota")),
        async (id) => void deleted.push(id),
      ),
    ).rejects.toThrow("quota");
  }
  expect(deleted).toEqual([]);
});
