/**
 * The charm as Juju runs it: its own `./dispatch`, a process per hook, under the fake Juju. Its
 * clouds accept connections and never answer, and the builders it starts are stopped at once: a test says how
 * a build goes on (`charm-builds.ts`).
 */
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FakeJuju, type JournalEntry } from "../../lab/juju/index.ts";
import { listBuilds, type Build } from "../../src/build/history.ts";
import { pathsOf, type Paths } from "../../src/build/paths.ts";
import { holdBuilders, type HeldBuilders } from "./charm-builds.ts";
import { CHARM, COMPILE_CACHE } from "./staged-charm.ts";

/** The repository, a charm's folder too. */
export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
/** The charm's application. */
export const APPLICATION = "image-builder";
/** Its unit. */
export const UNIT = `${APPLICATION}/0`;
/** All units that a test may add. */
export const UNITS = [0, 1, 2].map((number) => `${APPLICATION}/${number}`);
/** Units whose builders are watched over. */
const BUILDERS = Array.from({ length: 10 }, (_, number) => `${APPLICATION}/${number}`);
/** The model's UUID. */
export const MODEL_UUID = "0c9a2e34-7d0b-4a55-9c3e-1f6f8d5b7a10";
/** Password of the build project's user, in the secret that the charm is given. */
export const BUILDER_PASSWORD = "builder-S3cret-pass";

type ConfigValues = Readonly<Record<string, string | number | boolean>>;

/** How to deploy. */
export interface Deployment {
  /** On top of a complete config; `null` leaves an option unset. */
  readonly config?: Readonly<Record<string, string | number | null>>;
  /** Content of the password's secret. */
  readonly secret?: Readonly<Record<string, string>>;
  /** Folder of the charm, which is linked, or a charm file; the staged one without it. */
  readonly charm?: string;
  /** True: the folder is copied as Juju does, so that a unit's own files in it outlast a refresh. */
  readonly copy?: boolean;
  /** False: the secret is not granted to the application. */
  readonly grant?: boolean;
  /** Variables that every process of the charm gets on top. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A dispatch path that is fired through juju-exec before the first hook. */
  readonly early?: string;
  /** The model's HTTP proxy. */
  readonly proxy?: string;
}

/** A deployed charm; dispose of it to end its processes and remove its files. */
export interface Deployed extends AsyncDisposable {
  readonly juju: FakeJuju;
  readonly root: string;
  readonly paths: Paths;
  readonly passwordSecret: string;
  /** Exit code of the early dispatch; null when none was asked for. */
  readonly earlyExit: number | null;
  /** The options that were set at the deployment. */
  readonly config: Readonly<Record<string, string | number>>;
  /** Keystone's address of a cloud that accepts connections and never answers. */
  readonly authUrl: string;
  readonly builders: HeldBuilders;
  /** Waits until all hooks have run. */
  readonly settle: () => Promise<void>;
  /** Sets options, and waits for the hooks. */
  readonly configure: (values: ConfigValues) => Promise<void>;
  readonly updateStatus: (unit?: string) => Promise<void>;
  /** Wakes the charm as a builder does; gives the exit code. */
  readonly wake: (unit?: string) => Promise<number>;
  /** Sets the model's HTTP proxy, of which no hook tells. */
  readonly setProxy: (address: string) => void;
  /** Fires a custom event or hook through juju-exec; gives the exit code. */
  readonly fire: (dispatchPath: string, unit?: string) => Promise<number>;
  /** `<name> <message>` of the unit's workload. */
  readonly status: (unit?: string) => string;
  readonly builds: (unit?: string) => Promise<readonly Build[]>;
  /** Calls of one hook command since `from` (an index into all calls). */
  readonly calls: (command: string, from?: number) => readonly JournalEntry[];
  /** Calls that wrote into a databag of the relation `image` since `from`. */
  readonly publications: (from?: number) => readonly JournalEntry[];
  /** Names of the hook commands that one update-status runs. */
  readonly updateStatusCommands: () => Promise<readonly string[]>;
  /** Index of the next call, for {@link Deployed.calls}. */
  readonly mark: () => number;
  /** All lines of the model's log, `<level> <message>`. */
  readonly log: () => readonly string[];
  /** Hooks that failed. */
  readonly failures: () => readonly string[];
}

/** Deploys the charm with a complete config and waits until its first hooks have run. */
export async function deployBuilder(deployment: Deployment = {}): Promise<Deployed> {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "charm-"));
  cleanup.defer(async () => await rm(directory, { recursive: true, force: true }));
  const root = join(directory, "root");
  const paths = pathsOf(root, UNIT);
  await mkdir(COMPILE_CACHE, { recursive: true });
  await mkdir(dirname(paths.compileCache), { recursive: true });
  await symlink(COMPILE_CACHE, paths.compileCache);
  const silent = cleanup.use(await silentServer());
  const builders = cleanup.use(holdBuilders(BUILDERS.map((unit) => pathsOf(root, unit).builds)));
  const environment: Record<string, string> = { IMAGE_BUILDER_ROOT: root, ...deployment.environment };
  const setProxy = (address: string): void => void (environment["JUJU_CHARM_HTTP_PROXY"] = address);
  if (deployment.proxy !== undefined) setProxy(deployment.proxy);
  const juju = cleanup.use(
    await FakeJuju.start({
      directory: join(directory, "j"),
      model: { name: "test", uuid: MODEL_UUID },
      version: "3.6.9",
      extraEnvironment: environment,
      installExecAt: join(root, "usr/bin/juju-exec"),
      log: ({ message }) => {
        if (message.includes("started a build")) builders.hold();
      },
    }),
  );
  const passwordSecret = juju.addSecret(deployment.secret ?? { password: BUILDER_PASSWORD });
  const settle = async (): Promise<void> => {
    await juju.settle();
    builders.hold();
  };
  const fire = async (dispatchPath: string, unit = UNIT): Promise<number> => {
    const { exit } = await juju.exec(unit, `JUJU_DISPATCH_PATH=${dispatchPath} ./dispatch`);
    await settle();
    return exit;
  };
  const updateStatus = async (unit = UNIT): Promise<void> => {
    await juju.updateStatus(unit);
    await settle();
  };
  const options: Readonly<Record<string, string | number | null>> = {
    architecture: "amd64",
    "openstack-auth-url": silent.authUrl,
    "openstack-project-name": "build",
    "openstack-project-domain-name": "Default",
    "openstack-user-name": "builder",
    "openstack-user-domain-name": "Default",
    "openstack-password-secret": passwordSecret,
    ...deployment.config,
  };
  const config = Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, string | number] => entry[1] !== null),
  );
  const source = deployment.charm ?? CHARM;
  const link = !source.endsWith(".charm") && deployment.copy !== true;
  await juju.deploy(APPLICATION, { charm: source, link, config });
  const early =
    deployment.early === undefined
      ? null
      : juju.exec(UNIT, `JUJU_DISPATCH_PATH=${deployment.early} ./dispatch`);
  if (deployment.grant !== false) juju.grantSecret(passwordSecret, APPLICATION);
  await settle();
  const owned = cleanup.move();
  return {
    juju,
    root,
    paths,
    passwordSecret,
    earlyExit: (await early)?.exit ?? null,
    config,
    authUrl: silent.authUrl,
    builders,
    settle,
    async configure(values) {
      await juju.setConfig(APPLICATION, values);
      await settle();
    },
    updateStatus,
    async updateStatusCommands() {
      const from = juju.journal().length;
      await updateStatus();
      return juju
        .journal()
        .slice(from)
        .map(({ command }) => command);
    },
    wake: async (unit = UNIT) => await fire("build-changed", unit),
    setProxy,
    fire,
    status(unit = UNIT) {
      const workload = juju.status().applications[APPLICATION]?.units[unit]?.workload;
      return `${workload?.status} ${workload?.message}`;
    },
    builds: async (unit = UNIT) => await listBuilds(pathsOf(root, unit).builds),
    calls: (command, from = 0) =>
      juju
        .journal()
        .slice(from)
        .filter((call) => call.command === command),
    publications: (from = 0) =>
      juju
        .journal()
        .slice(from)
        .filter(({ command, words }) => command === "relation-set" && words[1]?.startsWith("image:")),
    mark: () => juju.journal().length,
    log: () => juju.logs().map(({ level, message }) => `${level} ${message}`),
    failures: () =>
      juju
        .logs()
        .filter(({ level, message }) => level === "ERROR" && message.startsWith("hook "))
        .map(({ message }) => message),
    async [Symbol.asyncDispose]() {
      await owned.disposeAsync();
    },
  };
}

/** A Keystone that accepts connections and never answers; dispose of it to close it. */
export async function silentServer(): Promise<AsyncDisposable & { readonly authUrl: string }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    // a builder that is killed resets its connection
    socket.on("error", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    authUrl: `http://127.0.0.1:${port}/v3`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
