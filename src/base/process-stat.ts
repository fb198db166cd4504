/** What the kernel says of a process. */
import { readFile } from "node:fs/promises";

/** Fields of /proc/PID/stat (proc(5)). */
export interface ProcessStat {
  /** One letter: `R`, `S`, `T` (stopped), `Z` (a zombie: it has ended, and nobody has reaped it yet) ... */
  readonly state: string;
  /** When it started, in clock ticks since the machine did: tells it from another one that gets its number later. */
  readonly start: string;
}

/** The process with that number; null when there is none. */
export async function readProcessStat(pid: number): Promise<ProcessStat | null> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    // behind the name, which may have blanks and brackets in it: the third field and those after it
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", start: fields[19] ?? "" };
  } catch (error) {
    // ESRCH: it ended while its file was being read
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH"))
      return null;
    throw error;
  }
}
