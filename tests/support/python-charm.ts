/** The Python charm as far as a switch meets it: its options, what it publishes, and its files on the machine. */
import { generateKeyPairSync } from "node:crypto";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { cloudOf, credentialsOf, relate, type Credentials, type Requirer } from "./charm-requirers.ts";
import { APPLICATION, deployBuilder, UNIT, type Deployed, type Deployment } from "./charm.ts";
import { pythonBag, type PythonImage } from "./python-bag.ts";
import { CHARM } from "./staged-charm.ts";
import { writeShellCharm } from "./charms/shell-charm.ts";

/** Ids that its log tells of. */
export const LOGGED = {
  image: "0a1b2c3d-0000-4000-8000-000000000001",
  rotatedImage: "0a1b2c3d-0000-4000-8000-000000000002",
  snapshot: "0a1b2c3d-0000-4000-8000-000000000003",
  server: "0a1b2c3d-0000-4000-8000-000000000004",
} as const;

/** Its options with their defaults, as its charmcraft.yaml has them. */
const OPTIONS = {
  architecture: { type: "string" },
  "base-image": { type: "string", default: "noble" },
  "build-flavor": { type: "string", default: "" },
  "build-interval": { type: "int", default: 6 },
  "build-network": { type: "string", default: "" },
  "openstack-auth-url": { type: "string", default: "" },
  "openstack-password-secret": { type: "secret" },
  "openstack-project-domain-name": { type: "string", default: "" },
  "openstack-project-name": { type: "string", default: "" },
  "openstack-user-domain-name": { type: "string", default: "" },
  "openstack-user-name": { type: "string", default: "" },
  "revision-history-limit": { type: "int", default: 5 },
  "runner-version": { type: "string", default: "" },
  "script-url": { type: "string", default: "" },
  "script-secret-id": { type: "secret" },
  "script-secret": { type: "string", default: "" },
} as const;

/** A unit of the Python charm before its refresh; dispose of it. */
export interface PythonUnit extends AsyncDisposable {
  readonly charm: Deployed;
  /** It has got its images. */
  readonly runner: Requirer;
  /** Name of the runner's cloud in clouds.yaml. */
  readonly cloud: string;
  /** The unit's files on the machine. */
  readonly files: readonly string[];
  /** Refreshes to this charm and waits for the hooks; gives the index of the first call since. */
  readonly refresh: () => Promise<number>;
}

/** How such a unit differs from a usual one. */
export interface PythonDeployment extends Pick<Deployment, "config" | "secret"> {
  /** The unit that the cron entry names, where it is another one. */
  readonly cronUnit?: string;
  /** What the runner's charm writes; without it of a cloud that never answers. */
  readonly credentials?: Credentials;
}

/** Deploys the Python charm, which publishes `images` to a runner's charm. */
export async function deployPython(
  images: readonly PythonImage[],
  { cronUnit = UNIT, credentials: given, ...deployment }: PythonDeployment = {},
): Promise<PythonUnit> {
  await using cleanup = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "switch-"));
  cleanup.defer(async () => await rm(folder, { recursive: true, force: true }));
  const python = await writePythonCharm(join(folder, "python"), images);
  const charm = cleanup.use(await deployBuilder({ ...deployment, charm: python, copy: true }));
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  const files = await writePythonFiles(charm.root, key, cronUnit);
  const credentials = given ?? credentialsOf(charm, "runner-a");
  const runner = await relate(charm, "runner-a", credentials);
  const ours = await copyOurCharm(join(folder, "ours"));
  const owned = cleanup.move();
  return {
    charm,
    runner,
    cloud: cloudOf(credentials),
    files,
    async refresh() {
      const from = charm.mark();
      await charm.juju.upgradeCharm(APPLICATION, ours);
      await charm.settle();
      return from;
    },
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  };
}

/** Writes a charm to `folder` that publishes `images` to every relation, and keeps a state file as ops does. */
async function writePythonCharm(folder: string, images: readonly PythonImage[]): Promise<string> {
  const bag = Object.entries(pythonBag(images)).map(([key, value]) => `${key}='${value}'`);
  return await writeShellCharm(folder, {
    metadata: {
      name: "github-runner-image-builder",
      provides: { image: { interface: "github_runner_image_v0" } },
    },
    options: OPTIONS,
    actions: { run: { description: "d", additionalProperties: false } },
    always: ": > .unit-state.db",
    hooks: images.length === 0 ? {} : { "image-relation-changed": `relation-set ${bag.join(" ")}` },
  });
}

/** Makes `folder` the charm as a refresh brings it: a copy of the staged one. */
async function copyOurCharm(folder: string): Promise<string> {
  await cp(CHARM, folder, { recursive: true });
  return folder;
}

/** Writes its files below `root` with its modes; `key` is the private key of its builders. Gives their paths. */
async function writePythonFiles(root: string, key: string, unit: string): Promise<readonly string[]> {
  const line = (text: string): string => `2026-11-24 06:00:01,123 - INFO - ${text}\n`;
  const log = [
    line(`Launched builder, waiting for cloud-init to complete: ${LOGGED.server}.`),
    "console log after cloud-init: [    0.000000] Linux version 6.8.0\n[    1.0] more\n",
    line(`Snapshot created successfully, ${APPLICATION}-noble-x64 ${LOGGED.snapshot}.`),
    line(`Image created successfully, ${APPLICATION}-noble-x64 ${LOGGED.image}.`),
    line("Image created successfully, but not by that sentence."),
  ].join("");
  const rotated = line(`Image created successfully, ${APPLICATION}-noble-x64 ${LOGGED.rotatedImage}.`);
  const cron = `0 */6 * * * root /usr/bin/run-one /usr/bin/bash -c '/usr/bin/juju-exec "${unit}" "JUJU_DISPATCH_PATH=run HOME=/home/ubuntu ./dispatch"'\n`;
  const files: readonly (readonly [string, string | Buffer, number])[] = [
    ["home/ubuntu/clouds.yaml", "clouds: {builder: {auth: {password: old-S3cret}}}\n", 0o644],
    ["home/ubuntu/.ssh/builder_key", key, 0o400],
    ["home/ubuntu/.local/bin/github-runner-image-builder", "#!/usr/bin/python3\n", 0o755],
    ["home/ubuntu/.local/pipx/venvs/github-runner-image-builder/pyvenv.cfg", "home = /usr/bin\n", 0o644],
    ["home/ubuntu/noble-server-cloudimg-amd64.img", "base", 0o644],
    [`home/ubuntu/${APPLICATION}-noble-x64.snapshot`, "snapshot", 0o644],
    ["etc/cron.d/build-runner-image", cron, 0o644],
    ["etc/logrotate.d/github-runner-image-builder.conf", "weekly\n", 0o644],
    ["var/log/github-runner-image-builder/info.log", log, 0o644],
    ["var/log/github-runner-image-builder/info.log.2.gz", await promisify(gzip)(rotated), 0o644],
  ];
  for (const [path, content, mode] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content, { mode });
  }
  return files.map(([path]) => join(root, path));
}
