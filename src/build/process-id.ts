/** Telling a living process from another one that got the same number later. */
import { readFile } from "node:fs/promises";
import { isMissing } from "../base/files.ts";

/**
 * `pid:start:boot` of process `pid`: its number, start time in clock ticks (field 22 of /proc/PID/stat, see
 * proc(5)) and the machine's boot id. Null when there is no such process, or only its zombie.
 */
export async function processIdentity(pid: number): Promise<string | null> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
    ]);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? null : `${pid}:${fields[19]}:${boot.trim()}`;
  } catch (error) {
    // ESRCH: the process ended while its file was being read
    if (isMissing(error) || (error instanceof Error && "code" in error && error.code === "ESRCH"))
      return null;
    throw error;
  }
}

/** Whether the process that {@link processIdentity} described as `identity` still runs. */
export async function isRunning(identity: string): Promise<boolean> {
  const pid = Number.parseInt(identity, 10);
  return Number.isInteger(pid) && (await processIdentity(pid)) === identity;
}
