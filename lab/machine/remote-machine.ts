/** A machine of its own for the fake Juju's agents and charms: the controller stays here, all else happens there. */
import { join } from "node:path";
import type { ClientChannel, SFTPWrapper } from "ssh2";
import { AppError } from "../../src/base/errors.ts";
import { shellQuote } from "../../src/build/cloud-init/shell-quote.ts";
import { filesOf } from "../juju/charm-files.ts";
import type { Machine } from "../juju/machine.ts";
import { collect, type ProcessCall, type ProcessEnd } from "../juju/process.ts";
import { openChannel, openConnection, type Link, type MachineAddress } from "./connection.ts";
import { serveFolder } from "./folder-server.ts";

/** A machine that is reached by SSH; dispose of it to close the connection. */
export interface RemoteMachine extends Machine, AsyncDisposable {
  /** What `command` writes when root's shell runs it. Throws with its last words when it fails. */
  readonly shell: (command: string) => Promise<string>;
  /** Ends the agent with all of its processes, and waits until systemd has started it again. */
  readonly restartAgent: () => Promise<void>;
  /** Restarts the machine and waits until its agent is there again; `whileDown` runs in between. */
  readonly reboot: (whileDown: () => Promise<void>) => Promise<void>;
}

/** The process or the connection to it was cut off: nobody says how it ended. */
const CUT_OFF = { code: -1, signal: "SIGKILL", problem: undefined } as const;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** How long the pipes of a process that has ended may stay open; the machine is slower than its agent would be. */
const PIPE_WAIT_MS = 1000;

/**
 * Connects to the machine as soon as it answers. It fetches charms over HTTP from `gateway`, this machine's
 * address in its network. `signal` ends all waiting for it.
 */
export async function openMachine(
  address: MachineAddress,
  gateway: string,
  signal: AbortSignal,
): Promise<RemoteMachine> {
  const connection = await openConnection(address, signal);

  /** A machine that goes down meanwhile is waited for: its agent would do this when it is there again. */
  async function withLink<T>(use: (link: Link) => Promise<T>): Promise<T> {
    for (;;) {
      const link = await connection.link();
      try {
        return await use(link);
      } catch (error) {
        if (!(await link.hasEnded())) throw error;
      }
    }
  }
  const withFiles = async (use: (files: SFTPWrapper, done: Done) => void): Promise<void> =>
    await withLink(
      async ({ files }) =>
        await new Promise<void>((resolve, reject) =>
          use(files, (error) => (error ? reject(error) : resolve())),
        ),
    );

  async function run(call: ProcessCall): Promise<ProcessEnd> {
    const link = await connection.link();
    let channel: ClientChannel;
    try {
      channel = await openChannel(link, commandOf(call));
    } catch (error) {
      if (!(await link.hasEnded())) throw error;
      return { ...CUT_OFF, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
    }
    channel.end();
    return await follow(channel, call, (pid, name) => {
      // a machine that is down has no process any more
      openChannel(link, `kill -${name.replace("SIG", "")} -- -${pid}`).catch(() => {});
    });
  }
  async function cutOff(command: string, meanwhile: () => Promise<void>): Promise<void> {
    const link = await connection.link();
    const channel = await openChannel(link, command);
    channel.resume().end();
    await link.ended;
    await meanwhile();
    await connection.link();
  }
  const shell = async (command: string): Promise<string> => {
    const call = { file: "/bin/bash", parameters: ["-c", command], cwd: "/", env: { PATH, HOME: "/root" } };
    const end = await run({ ...call, onLine: () => {}, onStart: () => {} });
    if (end.code === 0) return end.stdout.toString("utf8");
    throw new AppError(`on the machine, ${command} exited with ${end.code}: ${end.stderr.toString("utf8")}`);
  };

  return {
    run,
    shell,
    makeFolder: async (path) => void (await shell(`mkdir -p ${shellQuote(path)}`)),
    async writeFile(path, text, mode) {
      await withFiles((files, done) => files.writeFile(path, text, done));
      await withFiles((files, done) => files.chmod(path, mode, done));
    },
    removeFile: async (path) => void (await shell(`rm -f ${shellQuote(path)}`)),
    link: async (target, path) => await withFiles((files, done) => files.symlink(target, path, done)),
    look: async (path) =>
      await withLink(
        async ({ files }) =>
          await new Promise((resolve, reject) =>
            files.stat(path, (error, stats) => {
              if (error === undefined) resolve((stats.mode & 0o111) === 0 ? "file" : "executable");
              else if (isNoSuchFile(error)) resolve("nothing");
              else reject(error);
            }),
          ),
      ),
    async placeCharm(source, target, link, before) {
      if (link) throw new AppError(`cannot link ${source} to another machine`);
      await using server = await serveFolder(source, gateway);
      const files = await filesOf(source);
      const old = [...before].filter((file) => !files.has(file)).map((file) => join(target, file));
      await shell(
        `set -o pipefail; mkdir -p ${shellQuote(target)}; rm -f ${old.map(shellQuote).join(" ")}; ` +
          // tar unlinks a file that is there: a program that runs keeps its own
          `curl --silent --show-error --fail ${server.url} | tar -C ${shellQuote(target)} -xz`,
      );
      return files;
    },
    async listen(path, answer, report) {
      return await connection.listen(path, { answer, report });
    },
    restartAgent: async () =>
      await cutOff("systemctl kill --signal KILL jujud-machine-0.service", async () => {}),
    reboot: async (whileDown) => await cutOff("systemctl reboot", whileDown),
    [Symbol.asyncDispose]: async () => await connection[Symbol.asyncDispose](),
  };
}

type Done = (error?: Error | null) => void;

const isNoSuchFile = (error: Error): boolean => "code" in error && error.code === 2;

/** Says its process id first; the shell leads a group of its own, as a process of the agent's does. */
function commandOf({ file, parameters, cwd, env }: ProcessCall): string {
  const variables = Object.entries(env).map(([name, value]) => shellQuote(`${name}=${value}`));
  const words = [file, ...parameters].map(shellQuote);
  return `echo $$; cd ${shellQuote(cwd)} && exec env -i ${[...variables, ...words].join(" ")} </dev/null`;
}

async function follow(
  channel: ClientChannel,
  call: ProcessCall,
  kill: (pid: number, signal: NodeJS.Signals) => void,
): Promise<ProcessEnd> {
  let pid: number | undefined;
  const out = collect(channel, (line) => {
    if (pid !== undefined) return call.onLine("stdout", line);
    const started = Number(line);
    pid = started;
    call.onStart((name) => kill(started, name));
  });
  const err = collect(channel.stderr, (line) => call.onLine("stderr", line));
  return await new Promise((resolve) => {
    let end: Pick<ProcessEnd, "code" | "signal" | "problem"> = CUT_OFF;
    const finish = (): void => {
      channel.destroy();
      const [stdout, stderr] = [out(), err()];
      resolve({ ...end, stdout: stdout.subarray(stdout.indexOf(10) + 1), stderr });
    };
    channel.once("exit", (code: number | null, name?: string) => {
      const signal = `SIG${(name ?? "").replace(/^SIG/, "")}` as NodeJS.Signals;
      end = code === null ? { ...CUT_OFF, signal } : { code, signal: undefined, problem: undefined };
      const timer = setTimeout(finish, PIPE_WAIT_MS);
      channel.once("close", () => clearTimeout(timer));
    });
    // told by `close`
    channel.on("error", () => {});
    channel.once("close", finish);
  });
}
