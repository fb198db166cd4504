import { spawn } from "node:child_process";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { finderOf, isGivenByJuju, searchFiles, watchProcesses } from "../../../lab/story/search-texts.ts";

const SECRET = `it's a "secret" & more/than`;
const find = finderOf([{ what: "the secret", text: SECRET }]);

describe("a secret is found", () => {
  test.each([
    ["as it is", `x ${SECRET} y`],
    ["in base64", Buffer.from(SECRET).toString("base64")],
    ["in base64 behind one byte", Buffer.from(`:${SECRET}`).toString("base64")],
    ["in base64 between others", Buffer.from(`ab${SECRET}cd`).toString("base64")],
    ["in an address", `https://x.example/?a=${encodeURIComponent(SECRET)}`],
    ["in JSON", JSON.stringify({ a: SECRET })],
    ["in a shell's quotes", `A='${SECRET.replaceAll("'", `'\\''`)}'`],
  ])("%s", (_how, text) => {
    expect(find(text)).toEqual(["the secret"]);
  });

  test("and nothing else", () => {
    expect(find("it's a secret & more")).toEqual([]);
    expect(() => finderOf([{ what: "x", text: "short" }])).toThrow("too short");
  });

  test("in arguments and environments, but not where it may be", async () => {
    await using watch = watchProcesses(find, (_what, environ) => environ.includes("MAY=1"));
    using _may = holding("", { A: SECRET, MAY: "1" });
    using _environment = holding("", { A: SECRET });
    using _argument = holding(SECRET, {});
    await expect
      .poll(
        () =>
          watch
            .hits()
            .map((hit) => hit.replace(/ of .*:/, ":"))
            .toSorted(),
        { timeout: 20_000 },
      )
      .toEqual(expect.arrayContaining(["argv: the secret", "environment: the secret"]));
    expect(watch.hits().filter((hit) => hit.includes("MAY"))).toEqual([]);
    expect(watch.seen()).toBeGreaterThan(2);
  });

  test.each([
    ["in Juju's own variables of a hook", true, [`JUJU_CHARM_HTTP_PROXY=http://u:${SECRET}@p`]],
    ["in another variable of a hook", false, [`HTTP_PROXY=http://u:${SECRET}@p`]],
    [
      "in both",
      false,
      [`JUJU_CHARM_HTTPS_PROXY=http://u:${SECRET}@p`, `IMAGE_BUILDER_PROXIES=http://u:${SECRET}@p`],
    ],
  ])("by Juju or by us: %s", (_where, isJujus, variables) => {
    const environ = ["PATH=/bin", "JUJU_CONTEXT_ID=a/0-run-1", ...variables];
    expect(isGivenByJuju(find, "the secret", environ.join("\0"))).toBe(isJujus);
    // a builder has no context
    expect(isGivenByJuju(find, "the secret", ["PATH=/bin", ...variables].join("\0"))).toBe(false);
  });

  test("in files that are new, but not in those that may hold it", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "search-"));
    await writeFile(join(folder.path, "a"), `\0\x01${SECRET}`);
    await writeFile(join(folder.path, "clouds.yaml"), SECRET, { mode: 0o600 });
    await writeFile(join(folder.path, "open.yaml"), SECRET, { mode: 0o644 });
    const search = async (since: Date) =>
      await searchFiles(
        folder.path,
        since,
        find,
        ({ path, mode }) => path.endsWith(".yaml") && (mode & 0o77) === 0,
      );
    const { found, files } = await search(new Date(0));
    expect(found.toSorted()).toEqual(
      ["a", "open.yaml"].map((name) => `${join(folder.path, name)}: the secret`),
    );
    expect(files).toBe(3);
    expect(await search(new Date(Date.now() + 60_000))).toEqual({ found: [], files: 0 });
  });
});

/** A process with `text` among its arguments, and this environment. */
function holding(text: string, env: Readonly<Record<string, string>>): Disposable {
  const child = spawn("/bin/sh", ["-c", "read line", text], { env, stdio: ["pipe", "ignore", "ignore"] });
  return { [Symbol.dispose]: () => void child.kill("SIGKILL") };
}
