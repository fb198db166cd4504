/** Builds as units of a real systemd: what the unit tests' stand-in of systemctl only notes. */
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { startSystemd, type Systemd } from "../../support/systemd.ts";
import { requestWith } from "../../support/builds.ts";

const START_BUILD = fileURLToPath(new URL("../../../src/build/start-build.ts", import.meta.url));
const PATHS = fileURLToPath(new URL("../../../src/build/paths.ts", import.meta.url));
const FOLDER = "/var/lib/github-runner-image-builder/builder-0/builds/20261123t195102-3f9a";
const UNIT = "github-runner-image-builder@20261123t195102-3f9a.service";
const { secretsFile: _, ...request } = requestWith();

/** A builder that tries what it must not do, tells how it went, and tidies up for a second when it is told to end. */
const BUILDER = `
trap 'echo tidied > tidied; exit 143' TERM
{
  touch /etc/forbidden 2>/dev/null && echo wrote-etc
  ls /root >/dev/null 2>&1 && echo saw-root
  grep -E '^(NoNewPrivs|CapEff):' /proc/self/status | tr '\\t' ' '
  echo "proxy $HTTP_PROXY"
  echo "umask $(umask)"
} > told.new
mv told.new told
while :; do sleep 0.1; done
`;

/** Starts the build from a process that ends at once, as a hook does. */
async function startIn(systemd: Systemd): Promise<void> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "systemd-"));
  const program = {
    command: ["/bin/sh", "-c", BUILDER, "builder"],
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HTTP_PROXY: "http://u:it's@proxy" },
  };
  const script = join(folder.path, "start.mjs");
  await writeFile(
    script,
    `const { startBuild } = await import(${JSON.stringify(START_BUILD)});
     const { pathsOf } = await import(${JSON.stringify(PATHS)});
     const { request, program } = ${JSON.stringify({ request, program })};
     await startBuild(request, null, pathsOf("/", "builder/0"), program);`,
  );
  await systemd.run(process.execPath, script);
}

const read = async (systemd: Systemd, file: string): Promise<string> =>
  await systemd.run("/bin/sh", "-c", `cat ${file} 2>/dev/null || true`);
const show = async (systemd: Systemd, property: string): Promise<string> =>
  await systemd.run("/usr/bin/systemctl", "show", "--value", "--property", property, UNIT);

describe("under systemd a build", () => {
  test("runs apart from who started it, may write to its own folders alone, and tidies up when it is ended", async () => {
    await using systemd = await startSystemd();
    await startIn(systemd);
    await expect.poll(() => read(systemd, `${FOLDER}/told`)).not.toBe("");
    expect((await read(systemd, `${FOLDER}/told`)).split("\n")).toEqual([
      "CapEff: 0000000000000000",
      "NoNewPrivs: 1",
      "proxy http://u:it's@proxy",
      "umask 0077",
    ]);
    expect(await show(systemd, "ActiveState")).toBe("active");
    expect(await show(systemd, "ControlGroup")).toContain(UNIT);
    const pid = await show(systemd, "MainPID");
    expect((await read(systemd, `${FOLDER}/pid`)).split(":")[0]).toBe(pid);
    // longer than any limit that the option may set
    expect(await show(systemd, "RuntimeMaxUSec")).toBe("1d 11min");

    // what `cancel` does
    await systemd.run("/bin/kill", "-TERM", pid);
    await expect.poll(() => show(systemd, "ActiveState")).toBe("inactive");
    expect(await show(systemd, "Result")).toBe("success");
    expect(await read(systemd, `${FOLDER}/tidied`)).toBe("tidied");
  });

  test("is stopped with time to tidy up when the machine goes down", async () => {
    await using systemd = await startSystemd();
    await startIn(systemd);
    await expect.poll(() => read(systemd, `${FOLDER}/told`)).not.toBe("");
    await systemd.run("/usr/bin/systemctl", "stop", UNIT);
    expect(await read(systemd, `${FOLDER}/tidied`)).toBe("tidied");
  });
});
