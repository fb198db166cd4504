/** The files of the Python charm on the unit's machine: paths that it alone writes, and writes anew at its events. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { logFilesIn } from "../../build/python-charm/traces.ts";
import { ARCHITECTURES, BASES } from "../../build/types.ts";

/** Where it keeps what. */
export interface PythonFiles {
  readonly cronFile: string;
  /** Passwords of all clouds, in clear. */
  readonly cloudsFile: string;
  /** The private key of its builders. */
  readonly keyFile: string;
  /** Its command line program. */
  readonly program: string;
  /** Folder of its logs, which is ours, too. */
  readonly logs: string;
  /** All else: its program's environment (where pipx of either Ubuntu release has it), rotation, images on the disk. */
  readonly others: readonly string[];
}

/** Ubuntu's names of the architectures in its images' file names. */
const DEBIAN_ARCHITECTURES = ["amd64", "arm64", "s390x", "ppc64el"];

/** Its files below `root` for a unit of `application`. */
export function pythonFilesOf(root: string, application: string): PythonFiles {
  const home = join(root, "home/ubuntu");
  const name = "github-runner-image-builder";
  return {
    cronFile: join(root, "etc/cron.d/build-runner-image"),
    cloudsFile: join(home, "clouds.yaml"),
    keyFile: join(home, ".ssh/builder_key"),
    program: join(home, ".local/bin", name),
    logs: join(root, "var/log", name),
    others: [
      join(home, ".local/pipx/venvs", name),
      join(home, ".local/share/pipx/venvs", name),
      join(root, "etc/logrotate.d", `${name}.conf`),
      ...BASES.flatMap((base) => [
        ...DEBIAN_ARCHITECTURES.map((arch) => join(home, `${base}-server-cloudimg-${arch}.img`)),
        ...ARCHITECTURES.map((arch) => join(home, `${application}-${base}-${arch}.snapshot`)),
      ]),
    ],
  };
}

/** Removes all of them; those that are not there are fine. */
export async function removePythonFiles(files: PythonFiles): Promise<void> {
  const { cronFile, cloudsFile, keyFile, program, logs, others } = files;
  for (const path of [cronFile, cloudsFile, keyFile, program, ...(await logFilesIn(logs)), ...others]) {
    await rm(path, { recursive: true, force: true });
  }
}
