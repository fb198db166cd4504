import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { openMachine, type RemoteMachine } from "../../../../lab/machine/remote-machine.ts";
import type { ProcessEnd } from "../../../../lab/juju/process.ts";
import { generateKeyPair } from "../../../../src/ssh/keys.ts";
import { type CommandReply, startSshServer, type SshServer } from "../../../support/ssh-server.ts";

type Reply = (command: string) => CommandReply | Promise<CommandReply>;

/** A machine whose root's shell is `onCommand`. */
async function startMachine(
  onCommand: Reply,
): Promise<{ readonly server: SshServer; readonly machine: RemoteMachine } & AsyncDisposable> {
  const { publicKey, privateKey } = await generateKeyPair("machine");
  const server = await startSshServer({ authorizedKey: publicKey, onCommand });
  const address = { host: "127.0.0.1", port: server.port, privateKey };
  const machine = await openMachine(address, "127.0.0.1", AbortSignal.timeout(20_000));
  return {
    server,
    machine,
    async [Symbol.asyncDispose]() {
      await machine[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function run(machine: RemoteMachine): Promise<{ readonly end: ProcessEnd; readonly lines: string[] }> {
  const lines: string[] = [];
  const end = await machine.run({
    file: "/charm/dispatch",
    parameters: [],
    cwd: "/charm",
    env: { PATH: "/bin", MOTTO: "it's me" },
    onLine: (stream, line) => lines.push(`${stream} ${line}`),
    onStart: () => lines.push("started"),
  });
  return { end, lines };
}

describe("a process on the machine", () => {
  test("has the environment that it is given and no other, and tells how it ended", async () => {
    const commands: string[] = [];
    await using place = await startMachine((command) => {
      commands.push(command);
      return { stdout: ["4711\nout\n"], stderr: ["err\n"], exitCode: 3 };
    });
    const { end, lines } = await run(place.machine);
    expect(end).toMatchObject({ code: 3, signal: undefined, problem: undefined });
    // the first line is its process id
    expect(end.stdout.toString()).toBe("out\n");
    expect(lines.toSorted()).toEqual(["started", "stderr err", "stdout out"]);
    expect(commands).toEqual([
      String.raw`echo $$; cd '/charm' && exec env -i 'PATH=/bin' 'MOTTO=it'\''s me' '/charm/dispatch' </dev/null`,
    ]);
  });

  test("that is killed tells the signal", async () => {
    await using place = await startMachine(() => ({ stdout: ["4711\n"], signal: "TERM" }));
    expect((await run(place.machine)).end).toMatchObject({ code: -1, signal: "SIGTERM" });
  });

  test("counts as killed when the machine goes down, and the next one waits for it", async () => {
    let count = 0;
    await using place = await startMachine(() => {
      count += 1;
      return count === 1 ? { stdout: ["4711\n"], drop: true } : { stdout: ["4712\n"], exitCode: 0 };
    });
    expect((await run(place.machine)).end).toMatchObject({ code: -1, signal: "SIGKILL" });
    expect((await run(place.machine)).end).toMatchObject({ code: 0, signal: undefined });
    expect(place.server.users).toEqual(["root", "root"]);
  });
});

test("a failure of the shell names the command and its last words", async () => {
  await using place = await startMachine(() => ({
    stdout: ["1\n"],
    stderr: ["no such unit\n"],
    exitCode: 4,
  }));
  await expect(place.machine.shell("systemctl stop x")).rejects.toThrow(
    "on the machine, systemctl stop x exited with 4: no such unit",
  );
});

test("a unix socket of the machine is answered from here, also after the machine was restarted", async () => {
  await using place = await startMachine(async () => {
    place.server.drop();
    return { hang: true };
  });
  const { machine, server } = place;
  await machine.listen(
    "/run/agent.socket",
    async (fields) => ({ exit: 0, stdout: fields.join(" "), stderr: "" }),
    (error) => expect(error).toBeUndefined(),
  );
  const ask = async (): Promise<string> => {
    const socket = await server.dial("/run/agent.socket");
    socket.write("8\nhook\0get");
    return await text(socket);
  };
  expect(await ask()).toBe("0 8 0\nhook get");
  let isDown = false;
  await machine.reboot(async () => void (isDown = true));
  expect(isDown).toBe(true);
  expect(await ask()).toBe("0 8 0\nhook get");
});
