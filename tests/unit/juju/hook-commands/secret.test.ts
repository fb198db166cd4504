import { readFile, stat } from "node:fs/promises";
import { expect, test } from "vitest";
import { redact } from "../../../../src/base/redact.ts";
import {
  canonicalSecretId,
  secretAdd,
  secretGet,
  secretInfoGet,
  secretSet,
} from "../../../../src/juju/hook-commands/secret.ts";
import { createHookTools } from "../../../support/hook-tools.ts";

const ID = "9m4e2mr0ui3e8a215n4g";

test.each([ID, `secret:${ID}`, `secret://0e2f1a52-3f4b-4c5d-8e6f-7a8b9c0d1e2f/${ID}`])(
  "%s names the secret by its bare id",
  (text) => {
    expect(canonicalSecretId(text)).toBe(ID);
  },
);

test.each(["", "secret:", "secret:UPPER2mr0ui3e8a215n4", "https://example.com/x"])(
  "%j is no secret",
  (text) => {
    expect(() => canonicalSecretId(text)).toThrow("it is not a secret URI");
  },
);

test.each([
  ["tracked", `secret-get --format=json -- secret:${ID}`],
  ["peek", `secret-get --format=json --peek -- secret:${ID}`],
  ["refresh", `secret-get --format=json --refresh -- secret:${ID}`],
] as const)("a %s read", async (read, line) => {
  await using tools = await createHookTools();
  await tools.reply("secret-get*", `{"token":"abc"}`);
  expect(await secretGet(tools.tool(), { id: `secret:${ID}` }, read)).toEqual({ token: "abc" });
  expect(await tools.lines()).toEqual([line]);
});

test("what was read is redacted from then on", async () => {
  await using tools = await createHookTools();
  await tools.reply("secret-get*", `{"password":"correct-horse-1"}`);
  await secretGet(tools.tool(), { label: "openstack" }, "tracked");
  expect(redact("it said correct-horse-1!")).toBe("it said [redacted]!");
});

test("content reaches the agent through files that only we can read and that are gone afterwards", async () => {
  await using tools = await createHookTools();
  await tools.reply("secret-add*", `secret:${ID}\n`);
  const uri = await secretAdd(
    tools.tool(),
    "unit",
    { "ssh-key": "line 1\nline 2", token: "-s3cret" },
    { label: "-x" },
  );
  expect(uri).toBe(`secret:${ID}`);
  const [call] = await tools.calls();
  expect(call?.files).toBe("700 line 1\nline 2;700 -s3cret;");
  expect(call?.argv.slice(0, 6)).toEqual(["secret-add", "--owner", "unit", "--label", "-x", "--"]);
  expect(call?.argv.join(" ")).not.toMatch(/s3cret|line 1/);
  const path = call?.argv.at(-1)?.split("=")[1] ?? "";
  await expect(stat(path)).rejects.toThrow("ENOENT");
});

test("the files are gone also when the command fails", async () => {
  await using tools = await createHookTools();
  await tools.reply("secret-set*", {
    shell: `printf '%s' "\${argument#*=}" >"$dir/path"; echo "ERROR no" >&2; exit 1`,
  });
  await expect(secretSet(tools.tool(), `secret:${ID}`, { token: "value" }, {})).rejects.toThrow(
    "cannot run secret-set",
  );
  const path = await readFile(`${tools.dir}/path`, "utf8");
  await expect(stat(path)).rejects.toThrow("ENOENT");
});

test.each(["ab", "Abc", "a_b", "abc-", "1abc"])(
  "refuses the key %j before it starts anything",
  async (key) => {
    await using tools = await createHookTools();
    await expect(secretAdd(tools.tool(), "unit", { [key]: "value" }, {})).rejects.toThrow(
      `with the keys ${key}:`,
    );
    expect(await tools.lines()).toEqual([]);
  },
);

test("the owner's view names the secret by its bare id", async () => {
  await using tools = await createHookTools();
  await tools.reply(
    "secret-info-get*",
    `{"${ID}":{"revision":3,"label":"","owner":"unit","rotation":"never"}}`,
  );
  expect(await secretInfoGet(tools.tool(), { label: "own" })).toEqual({
    id: ID,
    revision: 3,
    label: null,
    owner: "unit",
    description: null,
    rotation: "never",
    expiry: null,
    access: [],
  });
});
