/** The lab: makes a bare Debian 12 machine into an OpenStack playground. Tests and `npm run lab` use this. */
import { join } from "node:path";
import { CancelledError, formatDuration } from "../src/base/errors.ts";
import { writeAtomic } from "../src/base/files.ts";
import { readCrashes } from "./crashes.ts";
import { startGateway } from "./gateway/start.ts";
import { ensureGuestImage } from "./guest-image/image.ts";
import { hostOf, IMAGES, LAB_SOURCE, labCloud, PROJECTS, scriptEnvironment } from "./layout.ts";
import type { LabCloud, LabKind } from "./layout.ts";
import { labProcesses } from "./processes.ts";
import type { LabProcess } from "./processes.ts";
import { resetProject } from "./reset.ts";
import { runScript } from "./script.ts";
import type { ScriptOptions } from "./script.ts";

export { labCloud } from "./layout.ts";
export type { LabCloud, LabCredentials, LabKind, LabProject } from "./layout.ts";
export type { LabProcess } from "./processes.ts";

/** Where a lab command tells what it does, and what ends it early. */
export interface LabOptions {
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Brings the cloud `kind` up, whatever state the machine is in: installs packages, builds the guest image,
 * fills databases, starts what does not run. Settles when every API and the gateway answer and servers can
 * be made. Needs root. An abort leaves what already runs; the next call goes on from there.
 */
export async function labUp(kind: LabKind, options: LabOptions): Promise<LabCloud> {
  const began = performance.now();
  const log = (line: string): void => {
    options.log(`${formatDuration(performance.now() - began).padStart(6)}  ${line}`);
  };
  const env = { ...scriptEnvironment(kind), LAB_NO_INSTALL: "1" };
  log(`lab ${kind} on ${hostOf(kind)}`);
  await runScript([join(LAB_SOURCE, "openstack/install.sh")], { env, log, signal: options.signal });
  await together(options.signal, [
    (signal) => runScript([join(LAB_SOURCE, "openstack/up.sh")], { env, log, signal }),
    (signal) => ensureGuestImage(IMAGES, { env, log, signal }),
  ]);
  await startGateway(kind, { env, log, signal: options.signal });
  await writeAtomic(cloudsFile(kind), cloudsYaml(kind), 0o600);
  log(`lab ${kind} is up`);
  return labCloud(kind);
}

/** Stops the cloud `kind` with its guests; `wipe` removes its databases, images, disks and logs, too. */
export async function labDown(
  kind: LabKind,
  options: LabOptions & { readonly wipe: boolean },
): Promise<void> {
  const script: ScriptOptions = { env: scriptEnvironment(kind), log: options.log, signal: options.signal };
  await runScript([join(LAB_SOURCE, "openstack/down.sh"), ...(options.wipe ? ["--wipe"] : [])], script);
}

/** What {@link labStatus} found. */
export interface LabStatus {
  readonly cloud: LabCloud;
  /** Oldest first; one that is not `running` died since it was started. */
  readonly processes: readonly LabProcess[];
}

/** Which processes of the cloud `kind` run. No process: it is down. */
export async function labStatus(kind: LabKind): Promise<LabStatus> {
  const cloud = labCloud(kind);
  return { cloud, processes: await labProcesses(cloud.directory) };
}

/**
 * What the services of the cloud `kind` logged of processes of theirs that died since it was last brought up from down;
 * lines with times. A service may start such a process anew and go on, but not unharmed.
 */
export async function labCrashes(kind: LabKind): Promise<readonly string[]> {
  return await readCrashes(join(labCloud(kind).directory, "log"));
}

/** Deletes all servers, key pairs, security groups and images of the three projects; the cloud must be up. */
export async function labReset(kind: LabKind, options: LabOptions): Promise<void> {
  const cloud = labCloud(kind);
  for (const project of PROJECTS) {
    const gone = await resetProject(cloud.credentials(project), options.signal);
    options.log(
      `${project}: deleted ${gone.servers} servers, ${gone.keyPairs} key pairs, ` +
        `${gone.securityGroups} security groups, ${gone.images} images`,
    );
  }
}

/** Shell lines that point the `openstack` client to the cloud `kind`: `eval "$(npm run -s lab -- env)"`. */
export function labEnv(kind: LabKind): string {
  return [
    `export OS_CLIENT_CONFIG_FILE=${cloudsFile(kind)}`,
    "export OS_CLOUD=builder",
    `# or OS_CLOUD=runner-a, runner-b, admin; try: openstack server list`,
  ].join("\n");
}

function cloudsFile(kind: LabKind): string {
  return join(labCloud(kind).directory, "clouds.yaml");
}

function cloudsYaml(kind: LabKind): string {
  const { authUrl, region } = labCloud(kind);
  const entries = [["admin", "adminpass"], ...PROJECTS.map((name) => [name, `${name}-pass`])].map(
    ([name, password]) =>
      `  ${name}:\n    auth: { auth_url: "${authUrl}", username: ${name}, password: ${password}, ` +
      `project_name: ${name}, user_domain_name: Default, project_domain_name: Default }\n` +
      `    region_name: ${region}\n    identity_api_version: 3\n`,
  );
  return `clouds:\n${entries.join("")}`;
}

/** Runs all `tasks` at once; the first failure ends the others, and is thrown when all have ended. */
async function together(
  signal: AbortSignal,
  tasks: readonly ((signal: AbortSignal) => Promise<unknown>)[],
): Promise<void> {
  const sibling = new AbortController();
  const both = AbortSignal.any([signal, sibling.signal]);
  const failures: unknown[] = [];
  await Promise.all(
    tasks.map(async (task) => {
      try {
        await task(both);
      } catch (error) {
        failures.push(error);
        sibling.abort(new CancelledError("ended because a step beside it failed"));
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
}
