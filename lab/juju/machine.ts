/** The machine that agents and charms run on: this one, or another that the controller reaches from afar. */
import { constants } from "node:fs";
import { access, chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { placeCharm } from "./charm-files.ts";
import { runProcess, type ProcessCall, type ProcessEnd } from "./process.ts";
import { listen, type Answer } from "./wire.ts";

/** What an agent does on its machine. All paths are the machine's own. */
export interface Machine {
  /** Makes a folder, and those above it. */
  readonly makeFolder: (path: string) => Promise<void>;
  /** Writes a whole file, as one with the permissions `mode`. */
  readonly writeFile: (path: string, text: string, mode: number) => Promise<void>;
  /** Removes a file where there is one. */
  readonly removeFile: (path: string) => Promise<void>;
  /** Makes `path` a link to `target`. */
  readonly link: (target: string, path: string) => Promise<void>;
  /** What stands at `path`; `executable` where it may be run. */
  readonly look: (path: string) => Promise<"nothing" | "file" | "executable">;
  /** Brings the charm at `source`, a path of the controller's, to `target`; see {@link placeCharm}. */
  readonly placeCharm: typeof placeCharm;
  /** Answers on the unix socket `path`, as {@link listen}. */
  readonly listen: (
    path: string,
    answer: Answer,
    report: (error: unknown) => void,
  ) => Promise<() => Promise<void>>;
  /** Runs a process to its end, as {@link runProcess}. */
  readonly run: (call: ProcessCall) => Promise<ProcessEnd>;
}

/** The machine that this process runs on. */
export const thisMachine: Machine = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true });
  },
  async writeFile(path, text, mode) {
    await writeFile(path, text, { mode });
    // whatever the umask
    await chmod(path, mode);
  },
  removeFile: async (path) => await rm(path, { force: true }),
  link: async (target, path) => await symlink(target, path),
  async look(path) {
    if (await may(path, constants.X_OK)) return "executable";
    return (await may(path, constants.F_OK)) ? "file" : "nothing";
  },
  placeCharm,
  listen,
  run: runProcess,
};

async function may(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch (error) {
    if (
      error instanceof Error &&
      "code" in error &&
      ["ENOENT", "EACCES", "ENOTDIR"].includes(String(error.code))
    ) {
      return false;
    }
    throw error;
  }
}
