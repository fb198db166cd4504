/** What a page's shell blocks would run: each is run by a real shell that finds nothing but recorders. */
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtempDisposable, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Programs that pages may name. */
const PROGRAMS = [
  "apt-get",
  "charmcraft",
  "curl",
  "git",
  "image-builder",
  "journalctl",
  "juju",
  "npm",
  "openssl",
  "openstack",
  "sha256sum",
  "sudo",
  "systemctl",
  "tail",
  "terraform",
] as const;

/** Writes its words down, each ended by NUL, the call by one more; `juju add-secret` gives a URI as Juju does. */
const RECORDER = `#!/bin/sh
{ printf '%s\\0' "\${0##*/}" "$@"; printf '\\0'; } >> "$RECORD"
if [ "\${0##*/} $1" = "juju add-secret" ]; then echo "secret:$2"; fi
`;

/** The command lines of `script`, each as its words. Throws with the shell's message for what no shell would run. */
export async function recordCommands(script: string): Promise<readonly (readonly string[])[]> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "commands-"));
  const [bin, work, record] = ["bin", "work", "record"].map((name) => join(folder.path, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(bin);
  await mkdir(work);
  await writeFile(record, "");
  await writeFile(join(bin, "recorder"), RECORDER);
  await chmod(join(bin, "recorder"), 0o755);
  for (const program of PROGRAMS) await symlink("recorder", join(bin, program));
  await promisify(execFile)("/bin/sh", ["-eu", "-c", script], {
    cwd: work,
    env: { PATH: bin, RECORD: record },
  });
  const text = await readFile(record, "utf8");
  return text === ""
    ? []
    : text
        .slice(0, -2)
        .split("\0\0")
        .map((line) => line.split("\0"));
}
