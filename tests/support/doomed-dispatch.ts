/**
 * Preloaded into the charm's processes (`node --import`): notes each effect of a dispatch, that is each file that it
 * changes and each program that it runs, and kills the process, or all of its group, right before one of them. What to do
 * is in the JSON file that the variable DOOMED_DISPATCH names; without it nothing is done.
 */
import childProcess from "node:child_process";
import blocking, { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";
import type { Doom } from "./kills.ts";

const file = process.env["DOOMED_DISPATCH"];
if (file !== undefined && /charm\/main\.(ts|mjs)$/.test(process.argv[1] ?? "")) arm(file);

function arm(path: string): void {
  if (!existsSync(path)) return;
  const { dispatchPath, at, log, isWhole } = JSON.parse(readFileSync(path, "utf8")) as Doom;
  if (process.env["JUJU_DISPATCH_PATH"] !== dispatchPath) return;
  // once: Juju runs a failed hook again by itself
  rmSync(path);
  let count = 0;
  const before = (effect: string): void => {
    count += 1;
    appendFileSync(log, `${effect}\n`);
    // the charm's group: what it runs goes with it
    if (count === at) process.kill(isWhole ? 0 : process.pid, "SIGKILL");
  };
  const nameOf = (target: unknown): string => basename(String(target)).replace(/\d+-\d+-[0-9a-f]{12}/, "new");

  const note = (owner: object, key: string, effect: string): void => {
    const original = Reflect.get(owner, key) as (...words: unknown[]) => unknown;
    const noted = (...words: unknown[]): unknown => {
      before(`${effect} ${nameOf(words[0])}`);
      return original(...words);
    };
    Object.assign(owner, { [key]: noted });
  };
  for (const name of ["rename", "rm", "mkdir", "chmod", "writeFile", "symlink"]) note(fs, name, name);
  // what a bundled hook uses instead of the promises (`scripts/bundle/plugins.ts`)
  for (const name of ["rename", "rm", "mkdir", "chmod"]) note(blocking, `${name}Sync`, name);
  const { open } = fs;
  Object.assign(fs, {
    open: async (...words: Parameters<typeof open>): Promise<FileHandle> => {
      const [target, flags = "r"] = words;
      if (flags === "r") return await open(...words);
      before(`open ${nameOf(target)}`);
      const handle = await open(...words);
      const write = handle.writeFile.bind(handle);
      return Object.assign(handle, {
        writeFile: async (...data: Parameters<typeof write>): Promise<void> => {
          before(`write ${nameOf(target)}`);
          await write(...data);
        },
      });
    },
  });
  const { spawn } = childProcess as { readonly spawn: (...words: unknown[]) => unknown };
  Object.assign(childProcess, {
    spawn: (...words: unknown[]): unknown => {
      before(`run ${basename(String(words[0]))}`);
      return spawn(...words);
    },
  });
  syncBuiltinESMExports();
  process.once("exit", () => before("exit"));
}
