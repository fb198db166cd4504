/** A process that has ended and that nobody reaps. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { waitFor } from "../../src/base/deadline.ts";
import { readProcessStat } from "../../src/base/process-stat.ts";

/** A zombie; disposing ends its parent, and with that the zombie. */
export interface Zombie extends AsyncDisposable {
  readonly pid: number;
  /** Its parent, which runs. */
  readonly parent: number;
}

/** Makes a zombie: the child of a program that waits for nobody. Throws when there is none within ten seconds. */
export async function startZombie(): Promise<Zombie> {
  await using cleanup = new AsyncDisposableStack();
  const shell = spawn("sh", ["-c", "sh -c 'read line' <&3 & echo $!; exec sleep 60"], {
    stdio: ["ignore", "pipe", "inherit", "pipe"],
  });
  cleanup.defer(async () => {
    const ended = once(shell, "exit");
    shell.kill("SIGKILL");
    // the child that still reads ends with this
    (shell.stdio[3] as Writable).destroy();
    await ended;
  });
  const parent = shell.pid ?? 0;
  const [line] = (await once(shell.stdio[1] as Readable, "data")) as [Buffer];
  const pid = Number(line.toString());
  const signal = AbortSignal.timeout(10_000);
  // a shell might still reap its child
  await waitFor(signal, 5, async () =>
    (await readFile(`/proc/${parent}/comm`, "utf8")) === "sleep\n" ? true : undefined,
  );
  (shell.stdio[3] as Writable).end();
  await waitFor(signal, 5, async () => ((await readProcessStat(pid))?.state === "Z" ? true : undefined));
  const owned = cleanup.move();
  return { pid, parent, [Symbol.asyncDispose]: async () => await owned.disposeAsync() };
}
