/** `image-builder run`: one build, from request file to journal's end. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError, ConfigError } from "../../base/errors.ts";
import { createLogger, silentLogger } from "../../base/log.ts";
import { listBuilds, readBuild } from "../../build/history.ts";
import { openJournal } from "../../build/journal.ts";
import { isToldOf, messagesAtEnd, messagesAtStart, notify, type Message } from "../../build/notify.ts";
import { preload } from "../../build/preload.ts";
import { processIdentity } from "../../build/process-id.ts";
import { isHidden } from "../../build/proxies.ts";
import { parseRequest } from "../../build/request.ts";
import { runBuild, type Outcome } from "../../build/run-build.ts";
import { isMachineStopping } from "../../build/service/service.ts";
import { takeSecrets } from "../../build/steps/fetch-script.ts";
import type { BuildRequest, BuildSecrets, Proxy } from "../../build/types.ts";
import { createWaker } from "../../build/waker.ts";
import { openCloud, parseCloudsYaml, type CloudAuth } from "../../openstack/index.ts";
import { connect } from "../../ssh/communicator.ts";
import type { Terminal } from "../program.ts";
import { openLogFiles } from "../log-files.ts";
import { createReporter } from "../progress.ts";

const NO_SECRETS: BuildSecrets = { script: {}, notifyUrl: null };
const EXIT_CODES: Readonly<Record<Outcome, number>> = {
  done: 0,
  failed: 1,
  cancelled: 1,
  interrupted: 1,
};

/** Runs the build of `options.request`; sets exit code 1 when it failed or was cancelled. */
export async function runCommand(
  options: {
    readonly request: string;
    readonly logFormat: "text" | "json";
    readonly logFiles: readonly string[];
  },
  terminal: Terminal,
): Promise<void> {
  const { env, stderr, signal } = terminal;
  const folder = dirname(options.request);
  const request = withProxies(
    parseRequest(await read(options.request), options.request),
    terminal.proxy(),
    options.request,
  );
  const clouds = async (): Promise<ReadonlyMap<string, CloudAuth>> =>
    parseCloudsYaml(await read(request.cloudsFile), request.cloudsFile);
  // a broken file is the user's input: said before anything is begun
  await clouds();
  await preload();
  const isJson = options.logFormat === "json";
  using lines = openLogFiles(isJson ? stderr : { write: () => {} }, options.logFiles);
  const log = isJson || options.logFiles.length > 0 ? createLogger(lines, "info") : silentLogger;
  using reporter = options.logFormat === "text" ? createReporter(stderr) : silentReporter();
  await using waker = createWaker(request.wake, definedOnly(env), log);
  using journal = openJournal(folder, (event) => {
    reporter.report(event);
    if (event.event === "step-started") waker.soon();
    if (event.event === "progress") waker.lazily();
  });
  journal.add({ event: "started", process: (await processIdentity(process.pid)) ?? "" });
  const builds = await listBuilds(dirname(folder));
  const before = builds.filter((build) => build.id < request.id && isToldOf(build.request));
  const secrets = once(async () =>
    request.secretsFile === null ? NO_SECRETS : await takeSecrets(request.secretsFile),
  );
  const tell = async (messages: readonly Message[]): Promise<void> => {
    const { notifyUrl } = await secrets().catch(() => NO_SECRETS);
    if (notifyUrl !== null) await notify(notifyUrl, messages, log);
  };
  // beside the build, which waits for no webhook
  const told = tell(messagesAtStart(request, before, new Date()));
  const outcome = await runBuild(
    request,
    {
      openCloud: async (name, limit) =>
        await openCloud(name, authOf(await clouds(), name, request), {
          signal: limit,
          log,
          limits: request.limits,
        }),
      cloudNames: async () => [...(await clouds()).keys()],
      connect,
      // beside the builds, which go on with each other's downloads
      downloads: join(dirname(folder), ".downloads"),
      folder,
      log,
      journal,
      alive: new Set([
        request.id,
        ...builds.filter(({ state }) => state === "running" || state === "queued").map(({ id }) => id),
      ]),
      knownImages: new Set(builds.flatMap(({ artifacts }) => artifacts.map(({ imageId }) => imageId))),
      secrets,
      publish: waker.now,
      isMachineStopping: async () => await isMachineStopping(env["PATH"] ?? ""),
    },
    AbortSignal.any([signal, journal.full]),
  );
  await told;
  const build = await readBuild(folder);
  if (build !== null) await tell(messagesAtEnd(request, before, build, new Date()));
  terminal.setExitCode(EXIT_CODES[outcome]);
}

/** `request` with what was handed over; its file has the proxies without their passwords. */
function withProxies(request: BuildRequest, proxy: Proxy | null, source: string): BuildRequest {
  if (proxy !== null) return { ...request, recipe: { ...request.recipe, proxy } };
  if (!isHidden(request.recipe.proxy)) return request;
  throw new ConfigError([
    `build request ${source}: recipe.proxy: *** stands for a name and password that the charm hands over; ` +
      "write the proxy's whole address, or start the build with the action run",
  ]);
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new ConfigError([`cannot read ${path}`], { cause: error });
  }
}

function authOf(clouds: ReadonlyMap<string, CloudAuth>, name: string, request: BuildRequest): CloudAuth {
  const auth = clouds.get(name);
  if (auth === undefined) throw new AppError(`${request.cloudsFile} has no cloud "${name}"`);
  return auth;
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function silentReporter(): ReturnType<typeof createReporter> {
  return { report: () => {}, [Symbol.dispose]: () => {} };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return async () => await (made ??= make());
}
