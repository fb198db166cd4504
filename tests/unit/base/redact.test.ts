import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { createLogger } from "../../../src/base/log.ts";
import { redact, registerSecret } from "../../../src/base/redact.ts";
import { bash } from "../../support/shell.ts";

const SECRET = `p'ss "wörd"/+&=\\ 100%`;
registerSecret(SECRET);

describe("redact", () => {
  test.each([
    ["as it is", SECRET],
    ["in base64", Buffer.from(SECRET).toString("base64")],
    ["in a URL", encodeURIComponent(SECRET)],
    ["in JSON", JSON.stringify(SECRET).slice(1, -1)],
    ["in shell quotes", SECRET.replaceAll("'", `'\\''`)],
  ])("hides a secret %s, each time it comes", (_how, text) => {
    expect(redact(`<${text}> and <${text}>`)).toBe("<[redacted]> and <[redacted]>");
  });

  test("hides a secret in a shell's trace of quoted words", async () => {
    expect(redact(`'${SECRET.replaceAll("'", `'\\''`)}'`)).toBe("'[redacted]'");
    expect(redact(await bash(`printf '%s' '${SECRET.replaceAll("'", `'\\''`)}'`))).toBe("[redacted]");
  });

  test("hides each line of a secret of many lines, such as a key", () => {
    registerSecret("-----BEGIN KEY-----\nfirst-line-of-key\r\nsecond-line-of-key\n");
    expect(redact("got first-line-of-key here, second-line-of-key there")).toBe(
      "got [redacted] here, [redacted] there",
    );
  });

  test("hides the longer one whole when one secret begins with another", () => {
    registerSecret("token-abc");
    registerSecret("token-abc-and-more");
    expect(redact("token-abc-and-more token-abc")).toBe("[redacted] [redacted]");
  });

  test("leaves text alone that holds none, and takes no short word for a secret", () => {
    registerSecret("");
    registerSecret("yes");
    expect(redact("yes, ordinary text")).toBe("yes, ordinary text");
  });
});

describe("a logger", () => {
  /** The records that `write` logs. */
  function logged(write: (log: ReturnType<typeof createLogger>) => void): string {
    let text = "";
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, callback) => {
        text += chunk.toString();
        callback();
      },
    });
    write(createLogger(sink, "info"));
    return text;
  }

  test("writes no registered secret, not even in an error's cause", () => {
    const error = new Error("cannot sign in", { cause: new Error(`body: ${SECRET}`) });
    const text = logged((log) => log.error({ err: error, body: SECRET }, `it said ${SECRET}`));
    expect(text).toContain("cannot sign in");
    expect(text).not.toContain("wörd");
    expect(JSON.parse(text)).toMatchObject({ level: "error", msg: "it said [redacted]", body: "[redacted]" });
  });

  test("writes no field that is secret by its name", () => {
    const text = logged((log) =>
      log.info({ password: "unregistered-1", auth: { token: "unregistered-2" } }, "x"),
    );
    expect(text).not.toContain("unregistered");
  });

  test("writes nothing below its level", () => {
    expect(logged((log) => log.debug({}, "x"))).toBe("");
  });
});
