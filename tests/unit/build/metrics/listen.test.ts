/** Serving metrics: what is written and asked of systemd; a real systemd is in `tests/cloud/build/metrics.test.ts`. */
import { chmod, mkdir, mkdtempDisposable, readFile, stat, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readOptional } from "../../../../src/base/files.ts";
import { choosePort, listen, PORTS, stopListening } from "../../../../src/build/metrics/listen.ts";
import { metricsServiceUnit, metricsSocketUnit } from "../../../../src/build/metrics/socket-units.ts";
import { pathsOf, type Paths } from "../../../../src/build/paths.ts";

/** A systemctl that notes what it is asked, and knows the socket as active from its start to its stop. */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >> "$0.calls"
case $1 in
enable) touch "$0.active" ;;
stop | disable) rm -f "$0.active" ;;
show) if [ -e "$0.active" ]; then echo active; else echo inactive; fi ;;
esac
`;

interface Machine extends AsyncDisposable {
  readonly paths: Paths;
  readonly path: string;
  readonly tool: string;
  /** What systemctl was asked since the last call, its looks aside. */
  readonly asked: () => Promise<readonly string[]>;
}

async function machine(): Promise<Machine> {
  const folder = await mkdtempDisposable(join(tmpdir(), "listen-"));
  const paths = pathsOf(folder.path, "builder/0");
  for (const each of [paths.systemd, paths.home, join(folder.path, "bin")])
    await mkdir(each, { recursive: true });
  const tool = join(folder.path, "bin/systemctl");
  await writeFile(tool, SYSTEMCTL);
  await chmod(tool, 0o755);
  let seen = 0;
  return {
    paths,
    tool,
    path: `${dirname(tool)}:/usr/bin:/bin`,
    async asked() {
      const calls = ((await readOptional(`${tool}.calls`)) ?? "").split("\n").slice(0, -1);
      const fresh = calls.slice(seen).filter((call) => !call.startsWith("show "));
      seen = calls.length;
      return fresh;
    },
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

/** Takes a port of the loopback address; dispose of it to give it back. */
async function takenPort(port = 0): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

describe("the port", () => {
  test("is the wanted one, where that is free the next, and none where systemd does not run", async () => {
    await using where = await machine();
    await using taken = await takenPort();
    expect(await choosePort(where.paths, taken.port, where.path)).toBeGreaterThan(taken.port);
    const nowhere = pathsOf(join(dirname(where.tool), "empty"), "builder/0");
    expect(await choosePort(nowhere, taken.port, where.path)).toBe(null);
  });

  test("is none, and that is told, when all are taken", async () => {
    await using where = await machine();
    // of the highest port on there are no others to try
    await using _taken = await takenPort(65_535);
    expect(await choosePort(where.paths, 65_535, where.path)).toBe("taken");
  });

  test("stays that of a socket that listens already, as long as it is among the wanted ones", async () => {
    await using where = await machine();
    await using ours = await takenPort();
    const { paths, path } = where;
    await listen(paths, "builder/0", ours.port, path);
    expect(await choosePort(paths, ours.port, path)).toBe(ours.port);
    expect(await choosePort(paths, ours.port - PORTS, path)).not.toBe(ours.port);
  });
});

describe("listening", () => {
  test("is asked of systemd once, and again when the port changes", async () => {
    await using where = await machine();
    const { paths, path } = where;
    const socket = "github-runner-image-builder-metrics-builder-0.socket";
    expect(basename(paths.metricsSocket)).toBe(socket);
    await listen(paths, "builder/0", 29_100, path);
    const all = ["daemon-reload", `stop ${socket}`, `enable --now ${socket}`];
    expect(await where.asked()).toEqual(all);
    await listen(paths, "builder/0", 29_100, path);
    expect(await where.asked()).toEqual([]);
    await listen(paths, "builder/0", 29_101, path);
    expect(await where.asked()).toEqual(all);
    expect(await readFile(paths.metricsSocket, "utf8")).toBe(metricsSocketUnit("builder/0", 29_101));
  });

  test("is taken up again when somebody stopped the socket", async () => {
    await using where = await machine();
    await listen(where.paths, "builder/0", 29_100, where.path);
    await where.asked();
    await writeFile(where.tool, SYSTEMCTL.replace('[ -e "$0.active" ]', "false"));
    await listen(where.paths, "builder/0", 29_100, where.path);
    expect(await where.asked()).toEqual([`enable --now ${basename(where.paths.metricsSocket)}`]);
  });

  test("ends without a trace but what other units need", async () => {
    await using where = await machine();
    const { paths, path } = where;
    await listen(paths, "builder/0", 29_100, path);
    expect(((await stat(paths.serveScript)).mode & 0o777).toString(8)).toBe("644");
    await where.asked();
    await stopListening(paths, path);
    expect(await where.asked()).toEqual([`disable --now ${basename(paths.metricsSocket)}`, "daemon-reload"]);
    expect(await readOptional(paths.metricsSocket)).toBe(undefined);
    expect(await readOptional(paths.metricsService)).toBe(undefined);
    await stopListening(paths, path);
    expect(await where.asked()).toEqual([]);
  });

  test("says why when systemd refuses", async () => {
    await using where = await machine();
    await writeFile(where.tool, "#!/bin/sh\necho 'Failed to listen: Address already in use' >&2; exit 1\n");
    await expect(listen(where.paths, "builder/0", 29_100, where.path)).rejects.toThrow(
      "systemctl daemon-reload failed: Failed to listen: Address already in use",
    );
  });
});

test("the units are public: address, user, restrictions", () => {
  const paths = pathsOf("/", "image-builder/0");
  expect(metricsSocketUnit("image-builder/0", 29_100)).toMatchSnapshot("socket");
  expect(metricsServiceUnit("image-builder/0", paths)).toMatchSnapshot("service");
});
