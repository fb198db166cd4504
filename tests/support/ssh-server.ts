/** A real SSH server in this process, whose commands a test answers; for faults that a real guest has only now and then. */
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import ssh2, { type AuthContext, type Connection, type ServerChannel } from "ssh2";
import { fingerprint, generateKeyPair } from "../../src/ssh/keys.ts";

/** How a command ends. Output is written piece by piece, each in an SSH packet of its own. */
export type CommandReply = {
  readonly stdout?: readonly (string | Uint8Array)[];
  readonly stderr?: readonly string[];
} & (
  | { readonly exitCode: number }
  /** Without the prefix SIG, as SSH names it. */
  | { readonly signal: string }
  /** The command goes on for ever. */
  | { readonly hang: true }
  /** The connection goes away in mid-command. */
  | { readonly drop: true }
);

/** What the server does. */
export interface SshServerOptions {
  /** An authorized_keys line: the one key that may log in. */
  readonly authorizedKey: string;
  readonly onCommand?: (command: string, stdin: string) => CommandReply | Promise<CommandReply>;
  /** False: requests to run something get no answer at all. */
  readonly opensChannels?: boolean;
}

/** A running server; dispose of it. */
export interface SshServer extends AsyncDisposable {
  readonly port: number;
  /** `SHA256:…` of its host key. */
  readonly hostKey: string;
  /** Connections that are open now. */
  readonly connections: () => number;
  /** Users that logged in. */
  readonly users: readonly string[];
  /** Connects to a unix socket that the client listens on through its newest connection. */
  readonly dial: (path: string) => Promise<Duplex>;
  /** Goes silent on all connections, as a guest whose network went away: nothing is read, sent or closed. */
  readonly freeze: () => void;
  /** Cuts all connections. */
  readonly drop: () => void;
}

/** Starts a server on the loopback interface. */
export async function startSshServer(options: SshServerOptions): Promise<SshServer> {
  // not ssh2's own generator: of one pair in 250 a half is short
  const host = await generateKeyPair("host");
  const parsed = ssh2.utils.parseKey(host.publicKey);
  const allowed = ssh2.utils.parseKey(options.authorizedKey);
  if (parsed instanceof Error || allowed instanceof Error) throw new Error("cannot parse a public key");
  const sockets = new Set<Socket>();
  const users: string[] = [];
  const connections: Connection[] = [];

  const authenticate = (context: AuthContext): void => {
    const isAllowed =
      context.method === "publickey" &&
      context.key.data.equals(allowed.getPublicSSH()) &&
      (context.signature === undefined ||
        allowed.verify(context.blob ?? Buffer.alloc(0), context.signature) === true);
    if (isAllowed) context.accept();
    else context.reject(["publickey"]);
  };
  const serve = (connection: Connection): void => {
    connection.on("authentication", (context) => {
      if (context.method === "publickey" && context.signature !== undefined) users.push(context.username);
      authenticate(context);
    });
    connections.push(connection);
    connection.on("error", () => connection.end());
    // any unix socket; nothing else is forwarded
    connection.on("request", (accept, reject, name: string) => {
      if (name === "streamlocal-forward@openssh.com") accept?.();
      else reject?.();
    });
    connection.on("session", (acceptSession) => {
      if (options.opensChannels === false) return;
      const session = acceptSession();
      // a subsystem without a single file
      session.on("sftp", (acceptFiles) => void acceptFiles());
      session.on("exec", (acceptExec, _reject, { command }) => {
        void runCommand(acceptExec(), command, options.onCommand ?? (() => ({ exitCode: 0 })), connection);
      });
    });
  };
  const server = new ssh2.Server({ hostKeys: [host.privateKey] }, serve);
  // ssh2's own server hides the sockets; the net server below it tells of each
  const { _srv: listener } = server as unknown as { readonly _srv: NodeJS.EventEmitter };
  listener.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    hostKey: fingerprint(parsed.getPublicSSH()),
    connections: () => sockets.size,
    users,
    drop,
    dial: async (path) =>
      await new Promise((resolve, reject) => {
        const newest = connections.at(-1);
        newest?.openssh_forwardOutStreamLocal(path, (error, channel) =>
          error === undefined ? resolve(channel) : reject(error),
        );
      }),
    freeze: () => {
      for (const socket of sockets) {
        socket.removeAllListeners("data");
        socket.removeAllListeners("end");
        socket.pause();
      }
    },
    async [Symbol.asyncDispose]() {
      drop();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function runCommand(
  channel: ServerChannel,
  command: string,
  onCommand: NonNullable<SshServerOptions["onCommand"]>,
  connection: Connection,
): Promise<void> {
  channel.on("error", () => {});
  const input: Buffer[] = [];
  channel.on("data", (chunk: Buffer) => input.push(chunk));
  await new Promise<void>((resolve) => channel.once("end", resolve));
  const reply = await onCommand(command, Buffer.concat(input).toString("utf8"));
  for (const piece of reply.stdout ?? []) {
    await new Promise<void>((resolve) => channel.write(piece, () => resolve()));
  }
  for (const piece of reply.stderr ?? []) {
    await new Promise<void>((resolve) => channel.stderr.write(piece, () => resolve()));
  }
  if ("hang" in reply) return;
  if ("drop" in reply) {
    connection.end();
    return;
  }
  if ("signal" in reply) channel.exit(reply.signal);
  else channel.exit(reply.exitCode);
  channel.end();
}
