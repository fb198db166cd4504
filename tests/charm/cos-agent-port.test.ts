/** Serving metrics where systemd runs, one event at a time, with a stand-in of systemctl. */
import { once } from "node:events";
import { mkdir, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  event,
  givenSecret,
  openContext,
  relation,
  relationIn,
  state,
  uriOf,
  type Context,
} from "../../lab/scenario/index.ts";
import { pathsOf, type Paths } from "../../src/build/paths.ts";
import { readOptional } from "../../src/base/files.ts";
import { CHARM } from "../support/staged-charm.ts";

/** A socket is active from its start to its stop; a build "runs" as long as the hook that started it. */
const SYSTEMCTL = `#!/bin/sh
case $1 in
enable) touch "$0.active" ;;
stop | disable) rm -f "$0.active" ;;
show) case $3 in MainPID) echo $PPID ;; *) if [ -e "$0.active" ]; then echo active; else echo inactive; fi ;; esac ;;
esac
`;

describe("metrics-port", { timeout: 60_000 }, () => {
  let cleanup: AsyncDisposableStack;
  let context: Context;
  let paths: Paths;
  const password = givenSecret({ password: "S3cret-pass" });
  const agent = relation("cos-agent", { remoteUnits: { "agent/0": {} } });

  beforeEach(async () => {
    cleanup = new AsyncDisposableStack();
    const machine = cleanup.use(await mkdtempDisposable(join(tmpdir(), "machine-")));
    paths = pathsOf(machine.path, "image-builder/0");
    const bin = join(machine.path, "bin");
    const [jujuExec = ""] = paths.jujuExec;
    for (const folder of [bin, paths.systemd, dirname(jujuExec)]) await mkdir(folder, { recursive: true });
    await writeFile(join(bin, "systemctl"), SYSTEMCTL, { mode: 0o755 });
    await writeFile(jujuExec, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    context = cleanup.use(
      await openContext({
        charm: CHARM,
        application: "image-builder",
        unit: 0,
        environment: { IMAGE_BUILDER_ROOT: machine.path, PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin` },
      }),
    );
  });
  afterEach(async () => await cleanup.disposeAsync());

  const stateWith = (port: number, relations = [agent]): ReturnType<typeof state> =>
    state({
      config: {
        architecture: "amd64",
        "openstack-auth-url": "http://127.0.0.1:1/v3",
        "openstack-project-name": "build",
        "openstack-project-domain-name": "Default",
        "openstack-user-name": "builder",
        "openstack-user-domain-name": "Default",
        "openstack-password-secret": uriOf(password),
        "metrics-port": port,
      },
      secrets: [password],
      relations,
      leader: true,
    });
  const take = async (port = 0): Promise<number> => {
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    cleanup.defer(() => void server.close());
    return (server.address() as AddressInfo).port;
  };

  it("is where metrics are served while an agent is related, and the agent is told", async () => {
    const taken = await take();
    const { state: after } = await context.run(event.configChanged(), stateWith(taken));
    const config = JSON.parse(relationIn(after, agent).ownUnit["config"] ?? "") as {
      readonly metrics_scrape_jobs: readonly {
        readonly static_configs: readonly { readonly targets: readonly string[] }[];
      }[];
    };
    const [target = ""] = config.metrics_scrape_jobs[0]?.static_configs[0]?.targets ?? [];
    const port = Number(target.replace("localhost:", ""));
    expect(port).toBeGreaterThan(taken);
    expect(await readFile(paths.metricsSocket, "utf8")).toContain(`\nListenStream=127.0.0.1:${port}\n`);
    expect(after.unitStatus.message).not.toContain("metrics-port");

    // without the agent nothing listens
    await context.run(event.configChanged(), stateWith(taken, []));
    expect(await readOptional(paths.metricsSocket)).toBe(undefined);
  });

  it("that is taken, with no other to try, blocks the unit with what to do, and builds go on", async () => {
    await take(65_535);
    const account = {
      auth_url: "http://127.0.0.1:1/v3",
      password: "S3cret-pass",
      project_domain_name: "Default",
      project_name: "runners",
      user_domain_name: "Default",
      username: "runner",
    };
    const runner = relation("image", { remoteUnits: { "runner/0": account } });
    const { state: after } = await context.run(event.configChanged(), stateWith(65_535, [agent, runner]));
    expect(after.unitStatus).toEqual({
      name: "blocked",
      message: "metrics-port: port 65535 is taken on this machine; set it to another one, or to 0 for none",
    });
    expect(relationIn(after, agent).ownUnit["config"]).toContain('"metrics_scrape_jobs":[]');
    expect(await readOptional(paths.metricsFile)).toContain("github_runner_image_builder_info{");
    expect(await readOptional(paths.requestFile)).toBeDefined();
  });

  it("0 serves them nowhere", async () => {
    const { state: after } = await context.run(event.configChanged(), stateWith(0));
    expect(relationIn(after, agent).ownUnit["config"]).toContain('"metrics_scrape_jobs":[]');
    expect(await readOptional(paths.metricsSocket)).toBe(undefined);
    expect(await readOptional(paths.metricsFile)).toBeDefined();
  });
});
