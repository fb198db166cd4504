/** Telling a living process from another one that got the same number later. */
import { readFile } from "node:fs/promises";
import { readProcessStat } from "../base/process-stat.ts";

/**
 * `pid:start:boot` of process `pid`: its number, start time in clock ticks (field 22 of /proc/PID/stat, see
 * proc(5)) and the machine's boot id. Null when there is no such process, or only its zombie.
 */
export async function processIdentity(pid: number): Promise<string | null> {
  const found = await look(pid);
  return found === null || found.state === "Z" ? null : found.identity;
}

/** Whether that process runs and is not stopped (SIGSTOP): one that is ends only when somebody lets it go on. */
export async function canRun(identity: string): Promise<boolean> {
  const pid = Number.parseInt(identity, 10);
  const found = Number.isInteger(pid) ? await look(pid) : null;
  return found !== null && found.identity === identity && found.state !== "Z" && found.state !== "T";
}

async function look(pid: number): Promise<{ readonly identity: string; readonly state: string } | null> {
  const [found, boot] = await Promise.all([
    readProcessStat(pid),
    readFile("/proc/sys/kernel/random/boot_id", "utf8"),
  ]);
  return found === null ? null : { identity: `${pid}:${found.start}:${boot.trim()}`, state: found.state };
}

/** Whether the process that {@link processIdentity} described as `identity` still runs. */
export async function isRunning(identity: string): Promise<boolean> {
  const pid = Number.parseInt(identity, 10);
  return Number.isInteger(pid) && (await processIdentity(pid)) === identity;
}
