/** SSH connections to a machine of the lab that come back when the machine does. */
import type { Client, ClientChannel, SFTPWrapper } from "ssh2";
import ssh2 from "ssh2";
import { setTimeout as sleep } from "node:timers/promises";
import { seconds, waitFor } from "../../src/base/deadline.ts";
import { AppError } from "../../src/base/errors.ts";
import { serve, type Answer } from "../juju/wire.ts";

/** Where the machine's agent listens, and root's key. */
export interface MachineAddress {
  readonly host: string;
  readonly port: number;
  readonly privateKey: string;
}

/** An open connection. */
export interface Link {
  readonly client: Client;
  readonly files: SFTPWrapper;
  /** Settles when it has ended. */
  readonly ended: Promise<void>;
  /** Whether it has; an error of a call that the end cut off comes a moment before the end. */
  readonly hasEnded: () => Promise<boolean>;
}

/** Who answers on a unix socket of the machine. */
export interface Listener {
  readonly answer: Answer;
  readonly report: (error: unknown) => void;
}

/** A connection for as long as it is not disposed of, over restarts of the machine. */
export interface Connection extends AsyncDisposable {
  /** The connection that is open now, or the next one. */
  readonly link: () => Promise<Link>;
  /** Answers on the unix socket `path`, again after each restart, until the returned function ends that. */
  readonly listen: (path: string, listener: Listener) => Promise<() => Promise<void>>;
}

const HANDSHAKE_MS = seconds(60);
const AGAIN_MS = 500;
const END_MS = 1000;

/** Connects as root as soon as the machine answers. `signal` ends the waiting for it, now and later. */
export async function openConnection(address: MachineAddress, signal: AbortSignal): Promise<Connection> {
  const listeners = new Map<string, Listener>();
  const closing = new AbortController();
  const until = AbortSignal.any([signal, closing.signal]);
  let link = dial();
  await link;

  async function dial(): Promise<Link> {
    const client = await waitFor(until, AGAIN_MS, async () => await logIn(address, until));
    const ended = Promise.withResolvers<void>();
    client.once("close", () => {
      ended.resolve();
      if (closing.signal.aborted) return;
      link = dial();
      // whoever needs the machine next is told
      link.catch(() => {});
    });
    client.on("unix connection", ({ socketPath }, accept, reject) => {
      const listener = listeners.get(socketPath);
      if (listener === undefined) return reject();
      serve(accept(), listener.answer).catch(listener.report);
    });
    const files = await new Promise<SFTPWrapper>((resolve, refuse) =>
      client.sftp((error, sftp) => (error === undefined ? resolve(sftp) : refuse(error))),
    );
    for (const path of listeners.keys()) await forward(client, path);
    const late = async (): Promise<false> => await sleep(END_MS, false);
    const hasEnded = async (): Promise<boolean> =>
      await Promise.race([ended.promise.then(() => true), late()]);
    return { client, files, ended: ended.promise, hasEnded };
  }

  return {
    link: async () => await link,
    async listen(path, listener) {
      listeners.set(path, listener);
      await forward((await link).client, path);
      return async () => {
        listeners.delete(path);
        // with the connection the socket goes, too
        if (closing.signal.aborted) return;
        const { client } = await link;
        await new Promise<void>((resolve) => client.openssh_unforwardInStreamLocal(path, () => resolve()));
      };
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new AppError("the connection to the machine was closed"));
      await link.then(({ client }) => client.destroy()).catch(() => {});
    },
  };
}

async function forward(client: Client, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    client.openssh_forwardInStreamLocal(path, (error) =>
      error === undefined
        ? resolve()
        : reject(new AppError(`cannot listen on ${path} of the machine`, { cause: error })),
    );
  });
}

/** One attempt; undefined while the machine does not answer or is not ready for root. */
async function logIn(
  { host, port, privateKey }: MachineAddress,
  signal: AbortSignal,
): Promise<Client | undefined> {
  const client = new ssh2.Client();
  const outcome = await new Promise<Client | undefined>((resolve) => {
    const abort = (): void => resolve(undefined);
    signal.addEventListener("abort", abort, { once: true });
    client.once("ready", () => resolve(client));
    // later ones are told by `close`
    client.on("error", () => resolve(undefined));
    client.connect({
      host,
      port,
      username: "root",
      privateKey,
      readyTimeout: HANDSHAKE_MS,
      keepaliveInterval: seconds(5),
      keepaliveCountMax: 6,
    });
  });
  if (outcome === undefined) client.destroy();
  else client.setNoDelay(true);
  return outcome;
}

/** Runs `command` by root's shell; gives its channel. */
export async function openChannel({ client }: Link, command: string): Promise<ClientChannel> {
  return await new Promise((resolve, reject) =>
    client.exec(command, (error, channel) =>
      error === undefined
        ? resolve(channel)
        : reject(new AppError("cannot open a channel to the machine", { cause: error })),
    ),
  );
}
