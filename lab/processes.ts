/** Which of a cloud's processes run, read from the pid files that `openstack/lib.sh` writes. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isMissing, readOptional } from "../src/base/files.ts";

/** A process of the lab. */
export interface LabProcess {
  readonly name: string;
  readonly pid: number;
  readonly running: boolean;
  /** When it was started (also of one that is gone), to the second. */
  readonly since: Date;
}

/** Kernel clock ticks in a second, as user space sees them on every Linux architecture of today. */
const TICKS = 100;

/** The start time of process `pid` in ticks since boot; `undefined` where it is gone or a zombie. */
async function startOf(pid: number): Promise<number | undefined> {
  const stat = await readOptional(`/proc/${pid}/stat`);
  // the second field is the program's name in parentheses and may hold anything (proc_pid_stat(5))
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields === undefined || fields[0] === "Z" ? undefined : Number(fields[19]);
}

/** Every process that has a pid file below `directory`, by name. A file whose number was reused is not running. */
export async function labProcesses(directory: string): Promise<readonly LabProcess[]> {
  const folder = join(directory, "run");
  const processes: LabProcess[] = [];
  for (const file of await list(folder)) {
    if (!file.endsWith(".pid")) continue;
    const [pid, began] = ((await readOptional(join(folder, file))) ?? "").trim().split(" ").map(Number);
    if (pid === undefined || began === undefined) continue;
    processes.push({
      name: file.slice(0, -".pid".length),
      pid,
      running: (await startOf(pid)) === began,
      since: new Date(((await bootTime()) + began / TICKS) * 1000),
    });
  }
  return processes.toSorted((a, b) => a.since.getTime() - b.since.getTime());
}

/** The id of the process `name` of the cloud in `directory`; `undefined` where it does not run. */
export async function runningPid(directory: string, name: string): Promise<number | undefined> {
  return (await labProcesses(directory)).find((one) => one.name === name && one.running)?.pid;
}

async function list(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function bootTime(): Promise<number> {
  return Number(/^btime (\d+)$/m.exec(await readFile("/proc/stat", "utf8"))?.[1]);
}
