import { mkdir, mkdtempDisposable, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { sectionsOf, shellQuote, userData } from "../../../../src/build/cloud-init/user-data.ts";
import { ARCHITECTURES, BASES, specName, type Recipe } from "../../../../src/build/types.ts";
import { requestWith } from "../../../support/builds.ts";
import { bash, shellcheck } from "../../../support/shell.ts";

const source = fileURLToPath(new URL("../../../../src/build/", import.meta.url));
const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), "user-data-"));
const spec = { base: "noble", arch: "x64" } as const;
const { recipe } = requestWith();
const render = (changes: Partial<Recipe> = {}): Promise<string> =>
  userData(spec, { ...recipe, ...changes }, "2.330.0", "build-1");
const SPECS = BASES.flatMap((base) => ARCHITECTURES.map((arch) => ({ base, arch }))).filter(
  ({ base, arch }) => arch !== "arm" || base === "noble" || base === "resolute",
);
/** A recipe that leaves no section out. */
const full: Recipe = {
  ...recipe,
  snaps: ["aproxy=latest/edge", "opentelemetry-collector", "juju", "microk8s:classic"],
  proxy: { http: "http://proxy.example:3128", https: "", noProxy: "" },
  yqMirror: "https://y.example/releases",
};

/** Nova takes at most 65535 bytes of base64. */
const NOVA_LIMIT = 65_535;
const HOSTILE = `it's "$(touch /tmp/pwned)" \`id\` $HOME \\ ; & | > < * \n'\nIMAGE_BUILDER_SECTION\nexit 9 # ü`;

/** The variables that the part of `script` before its sections sets, as bash sets them; its folder is `root`. */
async function variablesOf(script: string, root: string): Promise<Readonly<Record<string, string>>> {
  const head = script.slice(0, script.indexOf('cat > "$run/sections/'));
  const output = await bash(`${relocated(head, root)}\nenv -0`);
  return Object.fromEntries(
    output.split("\0").map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  );
}

function relocated(script: string, root: string): string {
  return script
    .replace("run=/run/image-builder\n", `run=${root}/run\n`)
    .replace("log=/var/log/image-builder.log\n", `log=${root}/log\n`)
    .replace("/dev/console", `${root}/console`);
}

describe("userData", () => {
  test.each(SPECS)("is sound bash that Nova takes: $base on $arch", async (each) => {
    const script = await userData(each, full, "2.330.0", "build-1");
    await bash(script, ["-n"]);
    expect(Buffer.from(script).toString("base64").length).toBeLessThan(NOVA_LIMIT / 2);
    expect(script.startsWith("#!/bin/bash\n")).toBe(true);
  });

  test("gives ShellCheck nothing to warn of, for all releases and architectures, and in all sections", async () => {
    await using target = await folder();
    const scripts = await Promise.all(
      SPECS.map(async (each) => {
        const path = join(target.path, `${specName(each)}.sh`);
        await writeFile(path, await userData(each, full, "2.330.0", "build-1"));
        return path;
      }),
    );
    const own = (await readdir(source, { recursive: true })).filter((name) => name.endsWith(".sh"));
    expect(own.length).toBeGreaterThan(10);
    expect(await shellcheck([...scripts, ...own.map((name) => join(source, name))])).toBe("");
  }, 30_000);

  test("sets what the sections read", async () => {
    await using target = await folder();
    const script = await userData(
      { base: "focal", arch: "arm64" },
      {
        ...recipe,
        yqMirror: "https://y.example/r/",
        runnerMirror: "https://r.example/releases//",
        packages: ["-*", "zsh", "jq"],
      },
      "2.330.0",
      "build-1",
    );
    const variables = await variablesOf(script, target.path);
    expect(variables).toMatchObject({
      APT_MIRROR: "",
      PACKAGES: "zsh jq",
      SNAPS: "aproxy=latest/edge",
      NPM_PACKAGES: "yarn",
      YQ_MIRROR: "https://y.example/r",
      YQ_VERSION: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
      RUNNER_ARCH: "arm64",
      RUNNER_VERSION: "2.330.0",
      RUNNER_MIRROR: "https://r.example/releases",
    });
    expect(variables).not.toHaveProperty("http_proxy");
  });

  test("sets the proxies that there are", async () => {
    await using target = await folder();
    const script = await render({ proxy: { http: "http://p:3128", https: "", noProxy: "10.0.0.0/8,x" } });
    const variables = await variablesOf(script, target.path);
    expect(variables).toMatchObject({ http_proxy: "http://p:3128", no_proxy: "10.0.0.0/8,x" });
    expect(variables).not.toHaveProperty("https_proxy");
  });

  test("treats values with quotes, newlines and substitutions as data", async () => {
    await using target = await folder();
    const script = await userData(
      spec,
      {
        ...recipe,
        packages: ["-*", HOSTILE],
        snaps: [HOSTILE],
        npmPackages: [HOSTILE],
        runnerMirror: HOSTILE,
        aptMirror: HOSTILE,
        proxy: { http: HOSTILE, https: HOSTILE, noProxy: HOSTILE },
      },
      HOSTILE,
      HOSTILE,
    );
    await bash(script, ["-n"]);
    const variables = await variablesOf(script, target.path);
    for (const name of ["APT_MIRROR", "PACKAGES", "SNAPS", "NPM_PACKAGES", "RUNNER_VERSION", "no_proxy"]) {
      expect(variables[name]).toBe(HOSTILE);
    }
  });

  test("carries every section as it is in the repository", async () => {
    await using target = await folder();
    const script = relocated(await render(), target.path);
    // without the calls: only the files are written
    await bash(script.slice(0, script.indexOf("\nsection hostname\n")));
    for (const name of sectionsOf(spec, recipe)) {
      const text = await readFile(join(source, `cloud-init/sections/${name}.sh`), "utf8");
      expect(await readFile(join(target.path, "run/sections", name), "utf8")).toBe(text);
    }
  });

  test("leaves out the sections that have nothing to do", async () => {
    const script = await render({ snaps: [], npmPackages: [] });
    expect(script).not.toMatch(/^section (snaps|npm-packages)$/m);
    const calls = [...(await render()).matchAll(/^section (\S+)$/gm)].map(([, name]) => name);
    expect(calls).toEqual([
      "hostname",
      "unattended-upgrades",
      "apt-sources",
      "packages",
      "sysctl",
      "users",
      "snaps",
      "npm-packages",
      "runner",
    ]);
  });
});

describe("the frame, really run", () => {
  /** Runs the frame with `early` and `sections` in place of the recipe's, then "done"; gives what it left. */
  async function run(
    sections: Readonly<Record<string, string>>,
    early = "",
  ): Promise<
    {
      readonly failed: boolean;
      readonly file: (name: string) => Promise<string | null>;
    } & AsyncDisposable
  > {
    const target = await folder();
    await mkdir(join(target.path, "run"));
    const frame = await readFile(join(source, "cloud-init/frame.sh"), "utf8");
    const files = Object.entries(sections).map(
      ([name, text]) =>
        `cat > "$run/sections/${name}" <<'IMAGE_BUILDER_SECTION'\n${text}\nIMAGE_BUILDER_SECTION\n`,
    );
    const calls = Object.keys(sections).map((name) => `section ${name}\n`);
    const script = [
      relocated(frame, target.path),
      ...files,
      early,
      ...calls,
      'echo build-1 > "$run/done"\n',
    ].join("");
    const failed = await bash(script).then(
      () => false,
      () => true,
    );
    return {
      failed,
      file: async (name) => await readFile(join(target.path, name), "utf8").catch(() => null),
      [Symbol.asyncDispose]: async () => await target.remove(),
    };
  }

  test("runs all sections in order, with their output in the log and their progress told", async () => {
    await using result = await run({ one: "echo first; echo loud >&2", two: "echo second; cat" });
    expect(result.failed).toBe(false);
    expect((await result.file("log"))?.replaceAll(/in \d+ s/g, "in N s")).toBe(
      "== section one\nfirst\nloud\n== section one done in N s\n" +
        "== section two\nsecond\n== section two done in N s\n",
    );
    expect((await result.file("run/sections.tsv"))?.replaceAll(/\t\d+\t/g, "\tN\t")).toBe(
      "one\tN\t1\ntwo\tN\t1\n",
    );
    expect(await result.file("console")).toContain("image-builder: section two done");
    expect(await result.file("run/done")).toBe("build-1\n");
    expect(await result.file("run/failed")).toBe(null);
  });

  test.each([
    ["a command", "echo before\nfalse\necho after"],
    ["the start of a pipe", "false | cat\necho after"],
    ["a variable that is not set", 'echo "$NOT_SET_ANYWHERE"\necho after'],
    ["an exit", "exit 7\necho after"],
    ["a syntax error", "if then\necho after"],
  ])("stops at the first section that fails, by %s", async (_how, text) => {
    await using result = await run({ good: "true", bad: text, later: "echo later" });
    expect(result.failed).toBe(true);
    expect(await result.file("run/failed")).toBe("bad\n");
    expect(await result.file("run/done")).toBe(null);
    expect(await result.file("log")).not.toMatch(/^(after|later)$/m);
    expect(await result.file("log")).toMatch(/^== section bad failed after \d+ s with exit code [1-9]/m);
    expect(await result.file("run/sections.tsv")).toMatch(/^good\t\d+\t1\nbad\t\d+\t1\n$/);
  });

  test("waits for the proxy's address, then gives it to every section", async () => {
    const early = `sleep() { echo "export http_proxy='http://u:p@h:1'" > "$run/proxy.env"; }\nawait_proxy\n`;
    await using result = await run({ one: 'echo "by $http_proxy"' }, early);
    expect(result.failed).toBe(false);
    expect(await result.file("log")).toMatch(
      /^== section proxy\n== section proxy done in \d+ s\n== section one\nby http:\/\/u:p@h:1\n/,
    );
  });

  test("waits for the proxy's address no longer than ten minutes", async () => {
    await using result = await run(
      { one: "echo never" },
      "sleep() { SECONDS=$((SECONDS + 300)); }\nawait_proxy\n",
    );
    expect(result.failed).toBe(true);
    expect(await result.file("run/failed")).toBe("proxy\n");
    expect(await result.file("log")).toBe(
      "== section proxy\nE: the builder did not bring the proxy's address within 600 s\n== section proxy failed\n",
    );
  });

  test("gives one section's variables and functions to no other", async () => {
    await using result = await run({ one: "LEAK=1; cd /", two: 'echo "leak:${LEAK:-none}"' });
    expect(await result.file("log")).toContain("leak:none");
  });

  test("tries again what needs the network", async () => {
    // a pause of no length, so that the test does not wait for it
    const text = 'sleep() { :; }; n=0; flaky() { n=$((n + 1)); [ "$n" -ge 4 ]; }; retry flaky; retry true';
    await using result = await run({ one: text, two: "retry true" });
    expect(await result.file("log")).toMatch(
      /try 3 failed: flaky\n== section one done in \d+ s, in 4 tries\n/,
    );
    expect(await result.file("run/sections.tsv")).toMatch(/^one\t\d+\t4\ntwo\t\d+\t1\n$/);
    expect(result.failed).toBe(false);
  });

  test("gives up after five tries, with the last one's exit code", async () => {
    const text = "sleep() { :; }; flaky() { return 9; }; retry flaky";
    await using result = await run({ one: text });
    expect(await result.file("log")).toMatch(/try 4 failed: flaky\n== section one failed .* code 9\n/);
    expect(await result.file("run/sections.tsv")).toMatch(/^one\t\d+\t5\n$/);
  });
});

describe("shellQuote", () => {
  test.each(["", "plain", "it's", "''", "a\nb", "$(id)", "\\", HOSTILE])(
    "keeps %j as it is",
    async (value) => {
      expect(await bash(`printf %s ${shellQuote(value)}`)).toBe(value);
    },
  );
});
