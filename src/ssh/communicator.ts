/** Commands in the guest over SSH; with `keys.ts` the only importer of ssh2 (loaded when first used). */
import type { Client, ClientChannel } from "ssh2";
import { AppError } from "../base/errors.ts";
import { fingerprint } from "./keys.ts";
import { lineSplitter } from "./lines.ts";

/** Where and as whom to log in. */
export interface SshTarget {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly privateKey: string;
  /** Whether a host key with this `SHA256:…` fingerprint is the guest's. */
  readonly isHostKey: (fingerprint: string) => boolean;
}

/** A command in the guest; it reads `input` from its standard input. */
export interface RemoteCommand {
  readonly command: string;
  readonly signal: AbortSignal;
  readonly input?: string | Uint8Array;
  /** Each whole line of both outputs, as it comes. */
  readonly onLine?: (line: string) => void;
}

/** An open SSH connection; dispose of it to close it. */
export interface Communicator extends AsyncDisposable {
  /** Runs a command and gives its standard output (the last 1 MiB). Throws {@link RemoteCommandError} on exit ≠ 0. */
  readonly run: (command: RemoteCommand) => Promise<string>;
}

/** A command in the guest ended with a failure; `tail` holds its last lines. */
export class RemoteCommandError extends AppError {
  readonly exitCode: number | null;
  readonly tail: readonly string[];

  constructor(exitCode: number | null, killedBy: string | null, tail: readonly string[]) {
    const how =
      exitCode === null ? `was ended by ${killedBy ?? "the connection's end"}` : `exited with ${exitCode}`;
    super(tail.length === 0 ? `the command ${how}` : `the command ${how}: ${tail.at(-1)}`);
    this.exitCode = exitCode;
    this.tail = tail;
  }
}

/** The connection could not be made or broke. `isAuthentication`: the guest answered and refused our key. */
export class SshError extends AppError {
  readonly isAuthentication: boolean;

  constructor(message: string, isAuthentication: boolean, options?: ErrorOptions) {
    super(message, options);
    this.isAuthentication = isAuthentication;
  }
}

const HANDSHAKE_LIMIT_MS = 30_000;
const KEEPALIVE_MS = 15_000;
const TAIL_LINES = 20;
const OUTPUT_LIMIT = 1 << 20;

/** Logs in once; throws {@link SshError}. The caller disposes of the communicator. */
export async function connect(target: SshTarget, signal: AbortSignal): Promise<Communicator> {
  signal.throwIfAborted();
  const { default: ssh2 } = await import("ssh2");
  const client = new ssh2.Client();
  // the first error ends the log-in below; ssh2 tells of more when a connection is reset in its handshake, and a
  // later break is reported by the command that it hits, through its channel's close
  client.on("error", () => {});
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      client.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    const settle = (): void => signal.removeEventListener("abort", abort);
    client.once("ready", () => {
      settle();
      resolve();
    });
    client.once("error", (error) => {
      settle();
      client.destroy();
      const refused = error.level === "client-authentication";
      reject(new SshError(`cannot log in to ${target.host} by SSH`, refused, { cause: error }));
    });
    client.once("close", () => {
      settle();
      reject(new SshError(`cannot log in to ${target.host} by SSH: it closed the connection`, false));
    });
    client.connect({
      host: target.host,
      port: target.port,
      username: target.username,
      privateKey: target.privateKey,
      readyTimeout: HANDSHAKE_LIMIT_MS,
      keepaliveInterval: KEEPALIVE_MS,
      hostVerifier: (key: Buffer) => target.isHostKey(fingerprint(key)),
    });
  });
  // packets are small here; waiting to fill a segment costs a quarter of a second per command
  client.setNoDelay(true);
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  return {
    run: async (command) => await run(client, command),
    async [Symbol.asyncDispose]() {
      // no polite `end`: after it ssh2 cannot destroy the socket, and a guest gone silent never closes it
      client.destroy();
      await closed;
    },
  };
}

async function run(client: Client, command: RemoteCommand): Promise<string> {
  const channel = await openChannel(client, command);
  return await new Promise((resolve, reject) => {
    const output: Buffer[] = [];
    let size = 0;
    const tail: string[] = [];
    let exitCode: number | null = null;
    let killedBy: string | null = null;
    const take = (line: string): void => {
      if (line.trim() !== "") tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      command.onLine?.(line);
    };
    const lines = lineSplitter(take);
    const errorLines = lineSplitter(take);
    const abort = (): void => {
      channel.destroy();
      reject(command.signal.reason);
    };
    command.signal.addEventListener("abort", abort, { once: true });
    if (command.signal.aborted) abort();
    channel.on("data", (chunk: Buffer) => {
      output.push(chunk);
      size += chunk.length;
      while (size > OUTPUT_LIMIT && output.length > 1) size -= output.shift()?.length ?? 0;
      lines.write(chunk);
    });
    channel.stderr.on("data", (chunk: Buffer) => errorLines.write(chunk));
    channel.on("exit", (code: number | null, signalName?: string) => {
      exitCode = code;
      killedBy = signalName ?? null;
    });
    // the close event follows and settles the promise
    channel.on("error", () => {});
    channel.on("close", () => {
      command.signal.removeEventListener("abort", abort);
      lines.end();
      errorLines.end();
      if (command.signal.aborted) reject(command.signal.reason);
      else if (exitCode === 0) resolve(Buffer.concat(output).toString("utf8"));
      else if (exitCode === null && killedBy === null)
        reject(new SshError("the SSH connection broke", false));
      else reject(new RemoteCommandError(exitCode, killedBy, tail));
    });
    channel.end(command.input);
  });
}

async function openChannel(client: Client, { command, signal }: RemoteCommand): Promise<ClientChannel> {
  signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const settle = (): void => {
      client.off("close", closed);
      signal.removeEventListener("abort", abort);
    };
    const closed = (): void => {
      settle();
      reject(new SshError("the SSH connection broke", false));
    };
    const abort = (): void => {
      settle();
      reject(signal.reason);
    };
    client.once("close", closed);
    signal.addEventListener("abort", abort, { once: true });
    try {
      client.exec(command, (error, channel) => {
        settle();
        if (error !== undefined) reject(new SshError("cannot open an SSH channel", false, { cause: error }));
        // nobody waits for it any more
        else if (signal.aborted) channel.destroy();
        else resolve(channel);
      });
    } catch (error) {
      settle();
      reject(new SshError("the SSH connection broke", false, { cause: error }));
    }
  });
}

/** Loads the SSH library, which is otherwise loaded when it is needed first. */
export async function loadSsh(): Promise<void> {
  await import("ssh2");
}
