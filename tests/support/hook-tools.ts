/** Real executables in the place of Juju's hook commands, for unit tests of the framework. */
import { chmod, copyFile, mkdtemp, readFile, rm, symlink, writeFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMissing } from "../../src/base/files.ts";
import { contextFromEnvironment, type JujuContext } from "../../src/juju/context.ts";
import { openHookTool, type HookTool } from "../../src/juju/hook-tool.ts";

/** The hook commands that a machine charm can use (juju-rules 3.2). */
export const HOOK_COMMANDS = `
  config-get is-leader unit-get status-get status-set application-version-set goal-state credential-get
  juju-reboot leader-get leader-set relation-ids relation-list relation-get relation-set relation-model-get
  secret-get secret-info-get secret-ids secret-add secret-set secret-grant secret-revoke secret-remove
  action-get action-set action-fail action-log juju-log network-get open-port close-port opened-ports
  state-get state-set state-delete storage-list storage-get storage-add resource-get
`
  .trim()
  .split(/\s+/);

/** One recorded call. `files` holds folder mode and content behind each `key#file=`. */
export interface Call {
  readonly argv: readonly string[];
  readonly input: string;
  readonly files: string;
}

/** What a hook command answers: fixed output, or a line of shell. */
export interface Reply {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly code?: number;
  readonly shell?: string;
}

/** A folder of hook commands; dispose it. */
export interface HookTools extends AsyncDisposable {
  readonly dir: string;
  /** Answers calls that read (name, blank, arguments joined by blanks) as `call`; `*` stands for anything. The first match wins. */
  readonly reply: (call: string, reply: Reply | string) => Promise<void>;
  readonly calls: () => Promise<readonly Call[]>;
  /** The recorded calls, each as one line. */
  readonly lines: () => Promise<readonly string[]>;
  /** The agent's environment for these commands. */
  readonly environment: (extra?: Readonly<Record<string, string>>) => Record<string, string>;
  readonly context: (extra?: Readonly<Record<string, string>>) => JujuContext;
  readonly tool: (extra?: Readonly<Record<string, string>>, limitMs?: number) => HookTool;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Makes the folder. Commands that only write answer with success unless told otherwise; all others fail. */
export async function createHookTools(): Promise<HookTools> {
  const dir = await mkdtemp(join(tmpdir(), "hook-tools-"));
  const bin = join(dir, "bin");
  await mkdir(bin);
  await copyFile(new URL("hook-tools.sh", import.meta.url), join(dir, "tool"));
  await chmod(join(dir, "tool"), 0o755);
  await Promise.all(HOOK_COMMANDS.map((name) => symlink("../tool", join(bin, name))));
  let replies = "";
  await writeFile(join(dir, "replies.sh"), replies);

  const calls = async (): Promise<readonly Call[]> => {
    let text: string;
    try {
      text = await readFile(join(dir, "calls"), "utf8");
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
    return text
      .split("\u001e")
      .slice(0, -1)
      .map((record) => {
        const [argv = "", input = "", files = ""] = record.split("\u001d");
        return { argv: argv.split("\u001f"), input, files };
      });
  };
  const environment = (extra: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    PATH: `${bin}:/usr/bin:/bin`,
    LANG: "C.UTF-8",
    JUJU_UNIT_NAME: "builder/0",
    JUJU_MODEL_NAME: "prod",
    JUJU_MODEL_UUID: "0e2f1a52-3f4b-4c5d-8e6f-7a8b9c0d1e2f",
    JUJU_VERSION: "3.6.9",
    JUJU_CHARM_DIR: dir,
    JUJU_CONTEXT_ID: "builder/0-install-1",
    ...extra,
  });
  const context = (extra?: Readonly<Record<string, string>>): JujuContext =>
    contextFromEnvironment(environment(extra));
  return {
    dir,
    reply: async (call, reply) => {
      const {
        stdout = "",
        stderr = "",
        code = 0,
        shell = "",
      } = typeof reply === "string" ? { stdout: reply } : reply;
      const pattern = call.split("*").map(quoted).join("*");
      const answer = `printf '%s' ${quoted(stdout)}; printf '%s' ${quoted(stderr)} >&2; exit ${code}`;
      replies += `case $call in\n${pattern}) ${shell === "" ? answer : shell} ;;\nesac\n`;
      await writeFile(join(dir, "replies.sh"), replies);
    },
    calls,
    lines: async () => (await calls()).map(({ argv }) => argv.join(" ")),
    environment,
    context,
    tool: (extra, limitMs) =>
      openHookTool(context(extra), {
        signal: new AbortController().signal,
        ...(limitMs === undefined ? {} : { limitMs }),
      }),
    [Symbol.asyncDispose]: async () => await rm(dir, { recursive: true, force: true }),
  };
}
