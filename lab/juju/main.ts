/** The fake Juju as a background process with a control socket: `npm run lab -- juju <command>`. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, open, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { seconds, waitFor, withDeadline } from "../../src/base/deadline.ts";
import { AppError } from "../../src/base/errors.ts";
import { adminUsage, administer } from "./cli/admin.ts";
import { parseCommandLine, type CommandLine, type FlagSpec } from "./command-line.ts";
import type { Outcome } from "./commands/run.ts";
import { FakeJuju } from "./fake-juju.ts";
import { listen } from "./wire.ts";

const FLAGS: readonly FlagSpec[] = [
  { names: ["dir"], kind: "string" },
  { names: ["model"], kind: "string" },
  { names: ["version"], kind: "string" },
  { names: ["exec-at"], kind: "string" },
  { names: ["env"], kind: "list" },
  { names: ["help", "h"], kind: "bool" },
];

const USAGE = `usage: juju [--dir DIR] COMMAND ...
  start [--model NAME] [--version 3.6.9] [--exec-at PATH] [--env K=V]...
  stop
${adminUsage()}`;

/** Runs one command line; gives the exit code. The folder given by `--dir` (before the command) says which fake is meant. */
export async function main(argv: readonly string[]): Promise<number> {
  const front = parseCommandLine(argv, FLAGS, false);
  const [command, ...rest] = front.parameters;
  if (command === undefined || front.flags.has("help")) {
    process.stdout.write(USAGE);
    return command === undefined && !front.flags.has("help") ? 2 : 0;
  }
  const directory = resolve(front.values.get("dir")?.[0] ?? join(tmpdir(), "fake-juju"));
  if (command === "serve") return await serve(directory, parseCommandLine(rest, FLAGS));
  if (command === "start") return await start(directory, rest);
  const outcome = await ask(directory, [process.cwd(), command, ...rest]);
  process.stdout.write(outcome.stdout);
  process.stderr.write(outcome.stderr);
  return outcome.exit;
}

const socketIn = (directory: string): string => join(directory, "control.socket");

async function start(directory: string, rest: readonly string[]): Promise<number> {
  parseCommandLine(rest, FLAGS);
  if (await answers(directory)) throw new AppError(`cannot start: a fake Juju runs in ${directory} already`);
  await mkdir(directory, { recursive: true });
  await rm(socketIn(directory), { force: true });
  const output = await open(join(directory, "server.log"), "a", 0o600);
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", import.meta.filename, "--dir", directory, "serve", ...rest],
    { detached: true, stdio: ["ignore", output.fd, output.fd], cwd: directory },
  );
  await once(child, "spawn");
  await output.close();
  await withDeadline(new AbortController().signal, seconds(20), "start of the fake Juju", async (signal) =>
    waitFor(signal, 50, async () => {
      if (child.exitCode !== null) throw new AppError(`cannot start: see ${join(directory, "server.log")}`);
      return (await answers(directory)) ? true : undefined;
    }),
  );
  child.unref();
  process.stdout.write(`fake Juju runs in ${directory}; juju-exec is ${join(directory, "bin/juju-exec")}\n`);
  return 0;
}

async function serve(directory: string, line: CommandLine): Promise<number> {
  const one = (flag: string): string | undefined => line.values.get(flag)?.[0];
  const execAt = one("exec-at");
  const environment = (line.values.get("env") ?? []).map((pair): [string, string] => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  await using juju = await FakeJuju.start({
    directory,
    model: { name: one("model") ?? "lab", uuid: randomUUID() },
    version: one("version") ?? "3.6.9",
    extraEnvironment: Object.fromEntries(environment),
    ...(execAt === undefined ? {} : { installExecAt: resolve(execAt) }),
  });
  const end = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => end.abort());
  const close = await listen(
    socketIn(directory),
    async ([cwd = "/", command = "", ...words]) => {
      if (command === "ping") return { exit: 0, stdout: "", stderr: "" };
      if (command !== "stop") return await administer(juju, cwd, command, words);
      setImmediate(() => end.abort());
      return { exit: 0, stdout: "", stderr: "" };
    },
    (error) => console.error(error),
  );
  if (!end.signal.aborted) await once(end.signal, "abort");
  await close();
  return 0;
}

async function answers(directory: string): Promise<boolean> {
  try {
    return (await ask(directory, ["/", "ping"])).exit === 0;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

/** Sends one request to the server in `directory`; throws an AppError when none listens there. */
async function ask(directory: string, fields: readonly string[]): Promise<Outcome> {
  const socket = connect(socketIn(directory));
  const request = Buffer.from(fields.join("\0"));
  const chunks: Buffer[] = [];
  try {
    await once(socket, "connect");
    socket.write(Buffer.concat([Buffer.from(`${request.length}\n`), request]));
    for await (const chunk of socket) chunks.push(chunk as Buffer);
  } catch (error) {
    throw new AppError(`cannot reach a fake Juju in ${directory}; start it first`, { cause: error });
  }
  const answer = Buffer.concat(chunks);
  const head = answer.indexOf(10);
  if (head < 0) return { exit: 0, stdout: "", stderr: "" };
  const [exit = 1, length = 0] = answer.subarray(0, head).toString().split(" ").map(Number);
  const body = answer.subarray(head + 1);
  return { exit, stdout: body.subarray(0, length).toString(), stderr: body.subarray(length).toString() };
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
