/** Charms in a few lines of shell, for tests of the fake Juju. */
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump } from "js-yaml";
import { vi } from "vitest";
import { isMissing } from "../../../src/base/files.ts";
import { waitFor } from "../../../src/base/deadline.ts";
import { FakeJuju } from "../../../lab/juju/index.ts";
import type { FakeJujuOptions } from "../../../lab/juju/index.ts";

// each test starts dozens of processes, and the machine may be busy with other tests
vi.setConfig({ testTimeout: 30_000 });

/** Waits until `condition` holds; throws after 20 seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await waitFor(AbortSignal.timeout(20_000), 10, async () => ((await condition()) ? true : undefined));
}

/** Lets a script go on that waits in `cat gate`, as soon as it has made that pipe. */
export async function openGate(gate: string): Promise<void> {
  await until(async () => {
    try {
      return (await stat(gate)).isFIFO();
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  });
  await writeFile(gate, "");
}

/** What a shell charm is made of; `hooks` go from a dispatch path's last part (`install`, `run`) to a script. */
export interface ShellCharm {
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly actions?: Readonly<Record<string, unknown>>;
  readonly hooks?: Readonly<Record<string, string>>;
  /** Runs for every dispatch, before the hook's own script. */
  readonly always?: string;
}

/** Writes the charm to `directory`. Every dispatch logs `ran <path> <remote unit>` through `juju-log`. */
export async function writeShellCharm(directory: string, charm: ShellCharm): Promise<string> {
  await mkdir(directory, { recursive: true });
  const metadata = { name: "shell", summary: "s", description: "d", ...charm.metadata };
  await writeFile(join(directory, "metadata.yaml"), dump(metadata));
  await writeFile(join(directory, "manifest.yaml"), dump({ bases: [{ name: "ubuntu", channel: "22.04" }] }));
  if (charm.options !== undefined)
    await writeFile(join(directory, "config.yaml"), dump({ options: charm.options }));
  if (charm.actions !== undefined) await writeFile(join(directory, "actions.yaml"), dump(charm.actions));
  const cases = Object.entries(charm.hooks ?? {}).map(([name, script]) => `${name})\n${script}\n;;\n`);
  const script = `#!/bin/sh
set -eu
juju-log -- "ran \${JUJU_DISPATCH_PATH:-} \${JUJU_REMOTE_UNIT:-}"
${charm.always ?? ""}
case "\${JUJU_DISPATCH_PATH##*/}" in
${cases.join("")}esac
`;
  await writeFile(join(directory, "dispatch"), script);
  await chmod(join(directory, "dispatch"), 0o755);
  return directory;
}

/** A fake Juju in a temporary folder, which goes away with it. */
export interface Playground extends AsyncDisposable {
  readonly juju: FakeJuju;
  readonly directory: string;
  /** Writes a charm and gives its folder. */
  readonly charm: (charm: ShellCharm) => Promise<string>;
  /** The dispatch paths a unit ran, with the remote unit where there is one, without the repeats' log lines. */
  readonly ran: (unit: string) => readonly string[];
}

/** Starts a {@link Playground}. */
export async function playground(options: Partial<FakeJujuOptions> = {}): Promise<Playground> {
  const directory = await mkdtemp(join(tmpdir(), "juju-"));
  const juju = await FakeJuju.start({
    directory: join(directory, "j"),
    model: { name: "lab", uuid: "6d1f5bcd-3d0f-4f0c-8a54-0a8f7b0a3c11" },
    version: "3.6.9",
    ...options,
  });
  let charms = 0;
  return {
    juju,
    directory,
    charm: async (charm) => {
      charms += 1;
      return await writeShellCharm(join(directory, `charm-${charms}`), charm);
    },
    ran: (unit) =>
      juju
        .logs()
        .filter((record) => record.unit === unit && record.module.endsWith(".juju-log"))
        .flatMap((record) => /^(?:\S+:\d+: )?ran (.*?) *$/.exec(record.message)?.[1] ?? [])
        .map((text) => text.replace(/^(hooks|actions)\//, "")),
    [Symbol.asyncDispose]: async () => {
      await juju[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
