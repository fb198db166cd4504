/** Where this product keeps its files on the unit's machine. */
import { join } from "node:path";
import { PINS_FILE } from "./pins.ts";

/** Name of the file that says when builds are due, in the folder that holds the folder of builds. */
export const SCHEDULE_FILE = "schedule.json";

/** All paths, made from the file system root (`/`, elsewhere only in tests and the lab) and the unit's name. */
export interface Paths {
  /** Of all units on this machine. */
  readonly home: string;
  readonly state: string;
  readonly builds: string;
  readonly cloudsFile: string;
  /** Certificates that the builder trusts beside the usual ones; only where the operator named some. */
  readonly caFile: string;
  /** The key of digests of secrets. */
  readonly digestKeyFile: string;
  readonly publishedFile: string;
  /** Clouds that are gone and whose images are to be removed. */
  readonly departures: string;
  /** When the images of which cloud were removed. */
  readonly forgottenFile: string;
  /** What an operator pinned. */
  readonly pinsFile: string;
  /** The request for the build that would be started now, for the command line. */
  readonly requestFile: string;
  /** What the last full reconcile found. */
  readonly settledFile: string;
  /** When builds are due, for the command line. */
  readonly scheduleFile: string;
  /** What metrics need of builds that ended. */
  readonly ledgerFile: string;
  /** A folder of all units, which everybody may read. */
  readonly metrics: string;
  readonly metricsFile: string;
  /** What serves a metrics file, one request at a time; of all units. */
  readonly serveScript: string;
  readonly metricsSocket: string;
  readonly metricsService: string;
  /** On tmpfs: secrets on their way to the builder. */
  readonly runtime: string;
  readonly runtimeHome: string;
  /** A folder, where systemd runs. */
  readonly systemd: string;
  readonly serviceFile: string;
  /** How each build is started by systemd; a folder of all units. */
  readonly starts: string;
  readonly logs: string;
  /** What this unit's builds have to say. */
  readonly logFile: string;
  readonly logrotateFile: string;
  readonly cronFile: string;
  /** Compiled JavaScript, kept by Node between hooks; `dispatch` names the same folder. */
  readonly compileCache: string;
  /** Juju's command that runs something in a unit's hook context; the second name is Juju 2.9's. */
  readonly jujuExec: readonly string[];
}

/** The paths of `unit` (as `image-builder/0`) below `root`. */
export function pathsOf(root: string, unit: string): Paths {
  const name = unit.replace("/", "-");
  const home = join(root, "var/lib/github-runner-image-builder");
  const state = join(home, name);
  const runtimeHome = join(root, "run/github-runner-image-builder");
  const logs = join(root, "var/log/github-runner-image-builder");
  return {
    home,
    state,
    builds: join(state, "builds"),
    cloudsFile: join(state, "clouds.yaml"),
    caFile: join(state, "ca.pem"),
    digestKeyFile: join(state, "digest-key"),
    publishedFile: join(state, "published.json"),
    departures: join(state, "departures"),
    forgottenFile: join(state, "forgotten.json"),
    pinsFile: join(state, PINS_FILE),
    requestFile: join(state, "request.json"),
    settledFile: join(state, "settled.json"),
    scheduleFile: join(state, SCHEDULE_FILE),
    ledgerFile: join(state, "ledger.json"),
    metrics: join(home, "metrics"),
    metricsFile: join(home, "metrics", `${name}.prom`),
    serveScript: join(home, "serve-metrics.sh"),
    metricsSocket: join(root, "etc/systemd/system", `github-runner-image-builder-metrics-${name}.socket`),
    metricsService: join(root, "etc/systemd/system", `github-runner-image-builder-metrics-${name}@.service`),
    runtime: join(runtimeHome, name),
    runtimeHome,
    systemd: join(root, "run/systemd/system"),
    serviceFile: join(root, "etc/systemd/system/github-runner-image-builder@.service"),
    starts: join(home, "starts"),
    logs,
    logFile: join(logs, `${name}.log`),
    logrotateFile: join(root, "etc/logrotate.d/github-runner-image-builder"),
    cronFile: join(root, "etc/cron.d", `github-runner-image-builder-${name}`),
    compileCache: join(root, "var/cache/github-runner-image-builder"),
    jujuExec: [join(root, "usr/bin/juju-exec"), join(root, "usr/bin/juju-run")],
  };
}
