import { expect, test } from "vitest";
import { createLogger } from "../../../src/base/log.ts";
import { registerSecret } from "../../../src/base/redact.ts";
import { jujuLogStream, readableLine } from "../../../src/juju/juju-log.ts";
import { createHookTools } from "../../support/hook-tools.ts";

const noFallback = (text: string): never => {
  throw new Error(`unexpected fallback: ${text}`);
};

test("a record reads as message, fields, error", () => {
  const line = {
    level: "warn",
    time: "t",
    image: "noble",
    why: "two words",
    n: 3,
    err: { message: "a: b\nc" },
    msg: "failed",
  };
  expect(readableLine(JSON.stringify(line))).toEqual({
    level: "WARNING",
    text: `failed image=noble why="two words" n=3 err="a: b c"`,
  });
});

test("a line that is no JSON is passed on as it is", () => {
  expect(readableLine(`{"level":"info"[redacted]\n`)).toEqual({
    level: "INFO",
    text: `{"level":"info"[redacted]`,
  });
});

test("lines arrive in order, those of one level together", async () => {
  await using tools = await createHookTools();
  const stream = jujuLogStream(tools.tool(), noFallback);
  const log = createLogger(stream, "info");
  log.info("one");
  log.info("two");
  log.debug("not sent");
  log.error({ err: new Error("outer", { cause: new Error("inner") }) }, "three");
  log.info("-four");
  await stream.flush();
  expect((await tools.calls()).map(({ argv }) => argv.slice(2))).toEqual([
    ["INFO", "--", "one\ntwo"],
    ["ERROR", "--", `three err="outer: inner"`],
    ["INFO", "--", "-four"],
  ]);
});

test("lines written during a flush are flushed too", async () => {
  await using tools = await createHookTools();
  const stream = jujuLogStream(tools.tool(), noFallback);
  stream.send("INFO", "first");
  const flushed = stream.flush();
  await new Promise((resolve) => setImmediate(resolve));
  stream.send("ERROR", "second");
  await flushed;
  expect((await tools.lines()).length).toBe(2);
});

test("a secret never reaches juju-log, however it is spelled", async () => {
  await using tools = await createHookTools();
  registerSecret(`pa"ss\\word`);
  const stream = jujuLogStream(tools.tool(), noFallback);
  const log = createLogger(stream, "info");
  log.info({ detail: `is pa"ss\\word` }, `got pa"ss\\word`);
  await stream.flush();
  expect((await tools.lines()).join("")).toBe(
    `juju-log --log-level INFO -- got [redacted] detail="is [redacted]"`,
  );
});

test("when juju-log fails, the text goes to the fallback and the log goes on", async () => {
  await using tools = await createHookTools();
  await tools.reply("juju-log*", { stderr: "ERROR bad request\n", code: 1 });
  const texts: string[] = [];
  const stream = jujuLogStream(tools.tool(), (text) => texts.push(text));
  stream.send("INFO", "one");
  stream.send("ERROR", "two");
  await stream.flush();
  expect(texts).toEqual([
    "cannot write to the model's log: cannot run juju-log: bad request\n",
    "INFO one\n",
    "ERROR two\n",
  ]);
  expect(await tools.lines()).toEqual(["juju-log --log-level INFO -- one"]);
});
