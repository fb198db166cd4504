import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { createLogger, silentLogger } from "../../../src/base/log.ts";
import { ResourceScope } from "../../../src/base/scope.ts";

describe("ResourceScope", () => {
  test("undoes in reverse order, one after the other", async () => {
    const order: string[] = [];
    {
      await using scope = new ResourceScope(silentLogger);
      for (const name of ["key pair", "server", "snapshot"]) {
        scope.defer(name, async () => {
          order.push(`${name} begins`);
          await new Promise((resolve) => setImmediate(resolve));
          order.push(`${name} ends`);
        });
      }
    }
    expect(order).toEqual([
      "snapshot begins",
      "snapshot ends",
      "server begins",
      "server ends",
      "key pair begins",
      "key pair ends",
    ]);
  });

  test("undoes also when the work throws, and lets that error through", async () => {
    let undone = false;
    const work = async (): Promise<void> => {
      await using scope = new ResourceScope(silentLogger);
      scope.defer("server", async () => {
        undone = true;
      });
      throw new Error("cloud-init failed");
    };
    await expect(work()).rejects.toThrow("cloud-init failed");
    expect(undone).toBe(true);
  });

  test("goes on after an undo that fails, tells what is left, and never throws", async () => {
    const leftovers: unknown[] = [];
    const lines: string[] = [];
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, callback) => {
        lines.push(chunk.toString());
        callback();
      },
    });
    const undone: string[] = [];
    const scope = new ResourceScope(createLogger(sink, "info"), (what, error) =>
      leftovers.push([what, error.message]),
    );
    scope.defer("key pair", async () => void undone.push("key pair"));
    scope.defer("server", async () => Promise.reject(new Error("HTTP 500")));
    await scope[Symbol.asyncDispose]();
    expect(leftovers).toEqual([["server", "HTTP 500"]]);
    expect(undone).toEqual(["key pair"]);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: "error", what: "server" },
    ]);
  });

  test("gives each undo a signal of its own that is not spent", async () => {
    let aborted: boolean | null = null;
    {
      await using scope = new ResourceScope(silentLogger);
      scope.defer("server", async (signal) => {
        aborted = signal.aborted;
      });
    }
    expect(aborted).toBe(false);
  });

  test("undoes something early on demand, once", async () => {
    const undone: string[] = [];
    {
      await using scope = new ResourceScope(silentLogger);
      const discard = scope.defer("server", async () => void undone.push("server"));
      scope.defer("snapshot", async () => void undone.push("snapshot"));
      await discard();
      await discard();
      expect(undone).toEqual(["server"]);
    }
    expect(undone).toEqual(["server", "snapshot"]);
  });

  test("undoes also what an undo registers", async () => {
    const undone: string[] = [];
    {
      await using scope = new ResourceScope(silentLogger);
      scope.defer("outer", async () => void scope.defer("inner", async () => void undone.push("inner")));
    }
    expect(undone).toEqual(["inner"]);
  });
});
