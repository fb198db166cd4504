import { describe, expect, test } from "vitest";
import { redact } from "../../../src/base/redact.ts";
import { readPassword, readScriptSecrets } from "../../../src/charm/secrets.ts";
import { HookCommandError, type SecretContent, type Unit } from "../../../src/juju/index.ts";

const URI = "secret:cq5k0abcq5k0abcq5k0a";
const url = "https://x.example/setup.sh";

/** A unit whose only secret holds `content`, or cannot be read. */
function unitWith(content: SecretContent | HookCommandError): Unit {
  const refresh = async (): Promise<SecretContent> => {
    if (content instanceof HookCommandError) throw content;
    return content;
  };
  return { application: "builder", secret: () => ({ refresh }) } as unknown as Unit;
}

describe("the password", () => {
  test.each([
    ["no key", { pass: "x" }, 'the secret needs the key "password" with the user\'s password'],
    ["an empty one", { password: "" }, 'the secret needs the key "password" with the user\'s password'],
    [
      "one that ends with a file's line break",
      { password: "S3cret\n" },
      'the value of "password" has the character U+000A, which cannot be printed; update the secret',
    ],
    [
      "one that is not UTF-8",
      { password: "S3c\ufffdret" },
      'the value of "password" has the character U+FFFD, which cannot be printed; update the secret',
    ],
    [
      "a megabyte",
      { password: "x".repeat(1 << 20) },
      'the value of "password" has 1048576 characters, 4096 are the most; update the secret',
    ],
    [
      "one that was not granted",
      new HookCommandError("secret-get", 1, "ERROR permission denied\n"),
      "this application may not read the secret; run juju grant-secret <name> builder",
    ],
    [
      "one that is gone",
      new HookCommandError("secret-get", 1, 'ERROR secret "x" not found\n'),
      "there is no such secret; set it to the URI of an existing one",
    ],
  ])("is refused for %s by one sentence", async (_what, content, sentence) => {
    await expect(readPassword(unitWith(content), URI)).rejects.toMatchObject({
      problems: [`openstack-password-secret: ${sentence}`],
    });
  });

  test("may have blanks at its ends and any printable character", async () => {
    expect(await readPassword(unitWith({ password: " pä$'\" 😀 " }), URI)).toBe(" pä$'\" 😀 ");
  });

  test("passes on what is no fault of the operator's", async () => {
    const error = new HookCommandError("secret-get", 1, "ERROR connection is shut down\n");
    await expect(readPassword(unitWith(error), URI)).rejects.toBe(error);
  });
});

describe("the script's secrets", () => {
  test("may have lines, and keys with dashes become variables", async () => {
    const content = { "ssh-key": "line 1\nline 2\n", token: "a=b" };
    expect(await readScriptSecrets(unitWith(content), { url, sha256: "", secret: URI })).toEqual({
      ssh_key: "line 1\nline 2\n",
      token: "a=b",
    });
  });

  test.each(["a\0b", "a\ufffdb", "x".repeat(65_537)])(
    "are refused when they fit no variable",
    async (value) => {
      const unit = unitWith({ good: "x", "my-token": value });
      await expect(readScriptSecrets(unit, { url, sha256: "", secret: URI })).rejects.toMatchObject({
        problems: [
          "script-secret-id: the value of the key my-token fits no environment variable; " +
            "make it UTF-8 text of at most 65536 characters without NUL",
        ],
      });
    },
  );

  test("are redacted also when they stand in the option itself", async () => {
    const secret = { TOKEN: "in-the-option-itself" };
    expect(await readScriptSecrets(unitWith({}), { url, sha256: "", secret })).toBe(secret);
    expect(redact("x in-the-option-itself")).toBe("x [redacted]");
  });

  test("are none without a script", async () => {
    expect(await readScriptSecrets(unitWith({}), null)).toBe(null);
    expect(await readScriptSecrets(unitWith({}), { url, sha256: "", secret: null })).toBe(null);
  });
});
