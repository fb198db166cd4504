/** A guest that is a folder: the builder's guest scripts run in a real bash, with their paths moved into it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Guest } from "../../src/build/steps/guest.ts";
import { lineSplitter } from "../../src/ssh/lines.ts";

/** The folder and its commands; dispose of it to remove the folder. */
export interface LocalGuest extends Guest {
  /** The place of the guest's file `path` on this machine; the folder that it lies in is there. */
  readonly at: (path: string) => Promise<string>;
}

/** Opens an empty guest. */
export async function openLocalGuest(): Promise<LocalGuest> {
  const folder = await mkdtempDisposable(join(tmpdir(), "local-guest-"));
  const moved = (text: string): string =>
    text.replaceAll(/\/(run\/(?:image-builder|cloud-init)|var\/log\/image-builder)/g, `${folder.path}/$1`);
  const run: Guest["run"] = async ({ command, input, signal, onLine }) => {
    const child = spawn("bash", ["-c", moved(command.replace(/^sudo /, ""))], {
      signal,
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = lineSplitter(onLine ?? (() => {}));
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      lines.write(Buffer.from(text));
    });
    child.stdin.end(moved(String(input ?? "")));
    const [code] = (await once(child, "close")) as [number | null];
    lines.end();
    if (code !== 0) throw new Error(`the command exited with ${code}`);
    return output;
  };
  return {
    async at(path) {
      const place = join(folder.path, path);
      await mkdir(dirname(place), { recursive: true });
      return place;
    },
    run,
    runAnew: run,
    async [Symbol.asyncDispose]() {
      await folder.remove();
    },
  };
}
