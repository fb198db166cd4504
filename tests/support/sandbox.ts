/**
 * A place to run the guest's scripts in: this machine's root, copied on write, with stand-ins for what would reach
 * the network or the system. Needs root and Linux namespaces, and throws where there are none.
 */
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { STAND_INS } from "./stand-ins.ts";

/** What a sandbox begins with: files by their absolute path. */
export type Seed = Readonly<Record<string, string | Uint8Array>>;

/** Runs `script` in a new sandbox laid over with `seed`, and gives its output; throws with its stderr when it fails. */
export async function runInSandbox(script: string, seed: Seed): Promise<string> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "sandbox-"));
  const put = async (path: string, content: string | Uint8Array): Promise<void> => {
    const file = join(folder.path, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    await chmod(file, 0o644);
  };
  await mkdir(join(folder.path, "seed"));
  await put("script", script);
  for (const [name, text] of Object.entries(STAND_INS)) await put(`bin/${name}`, text);
  for (const [path, content] of Object.entries(seed)) await put(`seed${path}`, content);
  const runner = fileURLToPath(new URL("sandbox.sh", import.meta.url));
  const parameters = ["--mount", "--uts", "--ipc", "--propagation", "private", "bash", runner, folder.path];
  const { stdout } = await promisify(execFile)("unshare", parameters, { maxBuffer: 64 << 20 });
  return stdout;
}
