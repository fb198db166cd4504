import { createServer, type AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import {
  connect,
  RemoteCommandError,
  SshError,
  type Communicator,
  type SshTarget,
} from "../../../src/ssh/communicator.ts";
import { generateKeyPair } from "../../../src/ssh/keys.ts";
import { startSshServer, type SshServer, type SshServerOptions } from "../../support/ssh-server.ts";

const keys = await generateKeyPair("test");
const never = new AbortController().signal;

const start = (options: Omit<SshServerOptions, "authorizedKey"> = {}): Promise<SshServer> =>
  startSshServer({ authorizedKey: keys.publicKey, ...options });
const targetOf = (server: Pick<SshServer, "port">, changes: Partial<SshTarget> = {}): SshTarget => ({
  host: "127.0.0.1",
  port: server.port,
  username: "ubuntu",
  privateKey: keys.privateKey,
  isHostKey: () => true,
  ...changes,
});
const logIn = (server: SshServer): Promise<Communicator> => connect(targetOf(server), never);
const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
  await work.then(
    () => expect.fail("it succeeded"),
    (error: unknown) => error,
  );

/** Runs `work` with a signal that fires when `moment` has come; gives the error and how long after that it came. */
async function abortAt(
  moment: Promise<unknown>,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<{ readonly error: unknown; readonly ms: number; readonly reason: Error }> {
  const reason = new Error("enough");
  const abort = new AbortController();
  const failed = failureOf(work(abort.signal));
  await moment;
  const at = performance.now();
  abort.abort(reason);
  return { error: await failed, ms: performance.now() - at, reason };
}

describe("connect", () => {
  test("logs in as the user with the key and shows the host key's fingerprint", async () => {
    await using server = await start();
    const shown: string[] = [];
    const isHostKey = (print: string): boolean => shown.push(print) > 0;
    await using _guest = await connect(targetOf(server, { isHostKey }), never);
    expect(shown).toEqual([server.hostKey]);
    expect(server.users).toEqual(["ubuntu"]);
  });

  test("survives a connection that is reset in its handshake, which ssh2 tells of more than once", async () => {
    const uncaught: unknown[] = [];
    const note = (error: unknown): void => void uncaught.push(error);
    process.prependListener("uncaughtException", note);
    const closed = Promise.withResolvers<void>();
    const server = createServer((socket) => {
      socket.once("data", () => socket.resetAndDestroy()).once("close", () => closed.resolve());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const error = await failureOf(connect(targetOf({ port }), never));
      expect(error).toBeInstanceOf(SshError);
      await closed.promise;
      // what comes after the first error comes in the turns right behind it
      await new Promise((resolve) => setImmediate(resolve));
      expect(uncaught).toEqual([]);
    } finally {
      process.off("uncaughtException", note);
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test("tells a refused key from a guest that is not there yet", async () => {
    await using server = await start();
    const other = await generateKeyPair("other");
    const error = await failureOf(connect(targetOf(server, { privateKey: other.privateKey }), never));
    expect(error).toBeInstanceOf(SshError);
    expect(error).toMatchObject({ isAuthentication: true, message: "cannot log in to 127.0.0.1 by SSH" });
    expect(error).toHaveProperty("cause");
  });

  test("tells a connection that is refused", async () => {
    const server = await start();
    await server[Symbol.asyncDispose]();
    const error = await failureOf(connect(targetOf(server), never));
    expect(error).toBeInstanceOf(SshError);
    expect(error).toMatchObject({ isAuthentication: false, cause: { code: "ECONNREFUSED" } });
  });

  test("does not log in to a guest with another host key", async () => {
    await using server = await start();
    const error = await failureOf(connect(targetOf(server, { isHostKey: () => false }), never));
    expect(error).toBeInstanceOf(SshError);
    expect(error).toMatchObject({ isAuthentication: false });
    expect(server.users).toEqual([]);
  });

  test("tells a peer that closes the connection before it says anything", async () => {
    const peer = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => peer.listen(0, "127.0.0.1", resolve));
    const error = await failureOf(connect(targetOf(peer.address() as AddressInfo), never));
    peer.close();
    expect(error).toBeInstanceOf(SshError);
    expect(error).toMatchObject({ isAuthentication: false });
  });

  test("ends within two seconds of a cancel when the peer never answers, and closes its socket", async () => {
    const there = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const peer = createServer((socket) => {
      socket.once("data", () => there.resolve());
      socket.on("error", () => {}).on("close", () => gone.resolve());
    });
    await new Promise<void>((resolve) => peer.listen(0, "127.0.0.1", resolve));
    const target = targetOf(peer.address() as AddressInfo);
    const { error, ms, reason } = await abortAt(there.promise, (signal) => connect(target, signal));
    expect(error).toBe(reason);
    expect(ms).toBeLessThan(2000);
    await gone.promise;
    peer.close();
  });

  test("does not even start when cancelled before", async () => {
    await using server = await start();
    const reason = new Error("enough");
    await expect(connect(targetOf(server), AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.connections()).toBe(0);
  });
});

describe("run", () => {
  test("gives the command its input and its standard output back", async () => {
    await using server = await start({
      onCommand: (command, stdin) => ({ stdout: [`${command}|${stdin}`], stderr: ["noise\n"], exitCode: 0 }),
    });
    await using guest = await logIn(server);
    const output = await guest.run({ command: "cat -", input: "größe\n", signal: never });
    expect(output).toBe("cat -|größe\n");
  });

  test("closes the input of a command that gets none, and passes binary and large input on", async () => {
    const seen: number[] = [];
    await using server = await start({
      onCommand: (_command, stdin) => {
        seen.push(stdin.length);
        return { exitCode: 0 };
      },
    });
    await using guest = await logIn(server);
    await guest.run({ command: "a", signal: never });
    await guest.run({ command: "b", input: new Uint8Array([1, 0, 2]), signal: never });
    await guest.run({ command: "c", input: "x".repeat(5_000_000), signal: never });
    expect(seen).toEqual([0, 3, 5_000_000]);
  });

  test("hands on the lines of both outputs as they come, whole characters and whole lines", async () => {
    const euro = Buffer.from("€\n");
    const heard = Promise.withResolvers<void>();
    await using server = await start({
      onCommand: (command) =>
        command === "first"
          ? {
              stdout: ["on", "e\ntwo ", euro.subarray(0, 1), euro.subarray(1)],
              stderr: ["three\nfo", "ur"],
              hang: true,
            }
          : { exitCode: 0 },
    });
    await using guest = await logIn(server);
    const lines: string[] = [];
    const abort = new AbortController();
    const work = guest.run({
      command: "first",
      signal: abort.signal,
      onLine: (line) => {
        lines.push(line);
        if (lines.length === 3) heard.resolve();
      },
    });
    const failed = failureOf(work);
    // the command still runs: the lines are here before its end
    await heard.promise;
    expect(lines).toEqual(["one", "two €", "three"]);
    abort.abort(new Error("enough"));
    await failed;
    expect(await guest.run({ command: "second", signal: never })).toBe("");
  });

  test("tells the exit code of a command that failed, with its last twenty lines", async () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}\n`);
    await using server = await start({
      onCommand: () => ({ stdout: [lines.join("")], stderr: ["\n", "cannot go on\n"], exitCode: 3 }),
    });
    await using guest = await logIn(server);
    const error = await failureOf(guest.run({ command: "false", signal: never }));
    expect(error).toBeInstanceOf(RemoteCommandError);
    expect(error).toMatchObject({ exitCode: 3, message: "the command exited with 3: cannot go on" });
    const tail = error instanceof RemoteCommandError ? error.tail : [];
    expect(tail).toHaveLength(20);
    expect(tail[0]).toBe("line 11");
    expect(tail).not.toContain("");
  });

  test("tells a command that failed without a word", async () => {
    await using server = await start({ onCommand: () => ({ exitCode: 1 }) });
    await using guest = await logIn(server);
    await expect(guest.run({ command: "false", signal: never })).rejects.toThrow(
      /^the command exited with 1$/,
    );
  });

  test("tells a command that a signal ended", async () => {
    await using server = await start({ onCommand: () => ({ signal: "KILL" }) });
    await using guest = await logIn(server);
    const error = await failureOf(guest.run({ command: "x", signal: never }));
    expect(error).toBeInstanceOf(RemoteCommandError);
    expect(error).toMatchObject({ exitCode: null, message: "the command was ended by SIGKILL" });
  });

  test("tells a connection that breaks in mid-command", async () => {
    await using server = await start({ onCommand: () => ({ stdout: ["half"], drop: true }) });
    await using guest = await logIn(server);
    const error = await failureOf(guest.run({ command: "x", signal: never }));
    expect(error).toBeInstanceOf(SshError);
    expect(error).toMatchObject({ message: "the SSH connection broke", isAuthentication: false });
  });

  test("tells a connection that broke before the command", async () => {
    await using server = await start();
    await using guest = await logIn(server);
    server.drop();
    await expect(guest.run({ command: "x", signal: never })).rejects.toThrow(SshError);
    await expect(guest.run({ command: "y", signal: never })).rejects.toThrow(SshError);
  });

  test("ends within two seconds of a cancel while the command runs", async () => {
    await using server = await start({ onCommand: () => ({ stdout: ["started\n"], hang: true }) });
    await using guest = await logIn(server);
    const started = Promise.withResolvers<void>();
    const { error, ms, reason } = await abortAt(started.promise, (signal) =>
      guest.run({ command: "sleep", signal, onLine: () => started.resolve() }),
    );
    expect(error).toBe(reason);
    expect(ms).toBeLessThan(2000);
  });

  test("ends within two seconds of a cancel when the server never answers the request to run", async () => {
    await using server = await start({ opensChannels: false });
    await using guest = await logIn(server);
    const { error, ms, reason } = await abortAt(Promise.resolve(), (signal) =>
      guest.run({ command: "x", signal }),
    );
    expect(error).toBe(reason);
    expect(ms).toBeLessThan(2000);
  });

  test("ends when cancelled while the guest answers the request to run", async () => {
    await using server = await start({ onCommand: () => ({ hang: true }) });
    await using guest = await logIn(server);
    const { error, ms, reason } = await abortAt(Promise.resolve(), (signal) =>
      guest.run({ command: "x", signal }),
    );
    expect(error).toBe(reason);
    expect(ms).toBeLessThan(2000);
    const running = failureOf(guest.run({ command: "y", signal: AbortSignal.timeout(100) }));
    expect(await running).toMatchObject({ name: "TimeoutError" });
  });

  test("keeps the last MiB of the output and still hands on every line", async () => {
    const block = `${"x".repeat(1023)}\n`.repeat(64);
    const count = 48;
    await using server = await start({
      onCommand: () => ({
        stdout: [...Array.from({ length: count }, () => block), "the end\n"],
        exitCode: 0,
      }),
    });
    await using guest = await logIn(server);
    let lines = 0;
    const output = await guest.run({ command: "x", signal: never, onLine: () => (lines += 1) });
    expect(output.length).toBeLessThanOrEqual(1 << 20);
    expect(output.length).toBeGreaterThan((1 << 20) - (1 << 16));
    expect(output.endsWith("x\nthe end\n")).toBe(true);
    expect(lines).toBe(count * 64 + 1);
  });

  test("leaves no listeners on the signal of the build", async () => {
    await using server = await start();
    await using guest = await logIn(server);
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on("warning", warn);
    for (let index = 0; index < 30; index += 1) await guest.run({ command: "x", signal: never });
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", warn);
    expect(warnings).toEqual([]);
  });
});

describe("dispose", () => {
  test("closes the connection, and a second time does nothing", async () => {
    await using server = await start();
    const guest = await logIn(server);
    await guest[Symbol.asyncDispose]();
    await guest[Symbol.asyncDispose]();
    await expect.poll(() => server.connections()).toBe(0);
  });

  test("ends after the connection broke", async () => {
    await using server = await start();
    const guest = await logIn(server);
    server.drop();
    await expect(guest.run({ command: "x", signal: never })).rejects.toThrow(SshError);
    await guest[Symbol.asyncDispose]();
    await expect.poll(() => server.connections()).toBe(0);
  });

  test("ends when the guest fell silent and closes nothing", async () => {
    await using server = await start();
    const guest = await logIn(server);
    server.freeze();
    const began = performance.now();
    await guest[Symbol.asyncDispose]();
    expect(performance.now() - began).toBeLessThan(2000);
  });

  test("ends a command that still runs", async () => {
    await using server = await start({ onCommand: () => ({ hang: true }) });
    const guest = await logIn(server);
    const failed = failureOf(guest.run({ command: "sleep", signal: never }));
    await guest[Symbol.asyncDispose]();
    expect(await failed).toBeInstanceOf(SshError);
  });
});
