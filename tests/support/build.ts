/** Whole builds against the lab's cloud: everything is real but the guest and the mirrors. */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { silentLogger } from "../../src/base/log.ts";
import { REQUEST_FILE } from "../../src/build/history.ts";
import { isOfApplication, TAG } from "../../src/build/names.ts";
import { newBuildId, parseRequest } from "../../src/build/request.ts";
import type { BuildRequest, Owner } from "../../src/build/types.ts";
import {
  type Cloud,
  type CloudAuth,
  deleteImage,
  deleteKeyPair,
  deleteSecurityGroup,
  deleteServer,
  formatCloudsYaml,
  type Image,
  listImages,
  listKeyPairs,
  listSecurityGroups,
  listServers,
  openCloud,
  waitForServerGone,
} from "../../src/openstack/index.ts";
import { type Mirror, randomFile, startMirror } from "./mirror.ts";
import { fakeCloudAuth, type LabProject } from "./openstack.ts";
import { type BuildChanges, type BuildResult, runOneBuild } from "./one-build.ts";

export type { BuildChanges, BuildResult } from "./one-build.ts";

const KIB = 1024;
const PROJECTS = ["builder", "runner-a", "runner-b"] as const;

/** One application of its own with its builds; disposing deletes all that it has in the cloud. */
export interface Workshop extends AsyncDisposable {
  readonly owner: Owner;
  readonly mirror: Mirror;
  readonly folder: string;
  readonly cloudsFile: string;
  /** The lab's clouds, signed in for looking around. */
  readonly clouds: Readonly<Record<LabProject, Cloud>>;
  /** Writes clouds.yaml anew; entries beside the lab's own, or instead of them. */
  readonly writeClouds: (
    names: readonly LabProject[],
    more?: Readonly<Record<string, CloudAuth>>,
  ) => Promise<void>;
  readonly newRequest: (changes?: BuildChanges) => Promise<BuildRequest>;
  /** Runs one build in this process. */
  readonly run: (changes?: BuildChanges) => Promise<BuildResult>;
  /** What builds must not leave: everything but active base images, active copies and the security group. */
  readonly leftovers: () => Promise<string[]>;
  /** This application's images in a project, newest first. */
  readonly images: (project: LabProject) => Promise<Image[]>;
}

/** Signs in to the lab's clouds once for all tests of the file that calls it; gives what opens a workshop. */
export function useWorkshops(): () => Promise<Workshop> {
  let site: (Disposable & { readonly open: () => Promise<Workshop> }) | undefined;
  beforeAll(async () => {
    site = await signInForWorkshops();
  });
  afterAll(() => site?.[Symbol.dispose]());
  return async () => {
    if (site === undefined) throw new Error("workshops are opened by tests, not beside them");
    return await site.open();
  };
}

/** The same for those who need workshops before the tests begin; they dispose of it. */
export async function signInForWorkshops(): Promise<Disposable & { readonly open: () => Promise<Workshop> }> {
  const auths = new Map<LabProject, CloudAuth>();
  const clouds = new Map<LabProject, Cloud>();
  const signal = AbortSignal.timeout(60_000);
  for (const name of PROJECTS) {
    const auth = await fakeCloudAuth(name);
    auths.set(name, auth);
    clouds.set(name, await openCloud(name, auth, { signal, log: silentLogger }));
  }
  return {
    open: async () => await openWorkshop(auths, Object.fromEntries(clouds) as Record<LabProject, Cloud>),
    [Symbol.dispose]() {
      for (const cloud of clouds.values()) cloud.close();
    },
  };
}

/** An application with a good base image for noble on its mirror, and all three clouds. */
async function openWorkshop(
  auths: ReadonlyMap<LabProject, CloudAuth>,
  clouds: Readonly<Record<LabProject, Cloud>>,
): Promise<Workshop> {
  await using stack = new AsyncDisposableStack();
  const application = `cloudtest${randomBytes(4).toString("hex")}`;
  const owner: Owner = {
    modelUuid: "2d3c1a52-5f0e-4bb1-8a5a-0f6e0a6f1d11",
    application,
    unit: `${application}/0`,
  };
  const folder = await mkdtemp(join(tmpdir(), "image-builder-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const mirror = stack.use(await startMirror());
  mirror.putImage("noble", randomFile(300 * KIB));
  stack.defer(() => sweep(Object.values(clouds), application));
  const cloudsFile = join(folder, "clouds.yaml");
  const writeClouds: Workshop["writeClouds"] = async (names, more = {}) => {
    const all = new Map(
      [...auths].filter(([name]) => names.includes(name)).map(([name, auth]) => [`${name}`, auth]),
    );
    for (const [name, auth] of Object.entries(more)) all.set(name, auth);
    await writeFile(cloudsFile, formatCloudsYaml(all), { mode: 0o600 });
  };
  await writeClouds(PROJECTS);

  const newRequest: Workshop["newRequest"] = async (changes = {}) => {
    const id = newBuildId(new Date());
    const build = join(folder, "builds", id);
    await mkdir(build, { recursive: true });
    let secretsFile: string | null = null;
    if (changes.secrets !== undefined) {
      secretsFile = join(folder, `${id}.json`);
      await writeFile(secretsFile, JSON.stringify({ script: changes.secrets, notifyUrl: null }), {
        mode: 0o600,
      });
    }
    const request: BuildRequest = {
      id,
      kind: "build",
      inputs: "",
      access: "",
      secretsDigest: "",
      reason: "hand",
      createdAt: new Date().toISOString(),
      owner,
      otherUnits: [],
      images: [{ base: "noble", arch: "x64" }],
      targets: null,
      sources: [],
      cloudsFile,
      buildCloud: "builder",
      flavor: "",
      network: "lab-net",
      baseImageMirror: mirror.images,
      baseImageSerial: "",
      requireSignature: false,
      parallelImages: 2,
      recipe: {
        packages: [],
        snaps: [],
        npmPackages: [],
        runnerVersion: "latest",
        runnerMirror: mirror.runner,
        aptMirror: "",
        yqMirror: "",
        proxy: { http: "", https: "", noProxy: "" },
        ...changes.recipe,
      },
      script: null,
      secretsFile,
      limits: {},
      keepRevisions: 2,
      publishedFile: changes.publish === undefined ? null : join(folder, "published.json"),
      wake: [],
      ...changes.request,
    };
    const file = join(build, REQUEST_FILE);
    await writeFile(file, JSON.stringify(request));
    return parseRequest(await readFile(file, "utf8"), file);
  };

  const all = stack.move();
  return {
    owner,
    mirror,
    folder,
    cloudsFile,
    clouds,
    writeClouds,
    newRequest,
    run: async (changes = {}) =>
      await runOneBuild(await newRequest(changes), join(folder, "builds"), changes),
    leftovers: async () => await leftovers(clouds, application, owner),
    images: async (project) => await imagesOf(clouds[project], application),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function imagesOf(cloud: Cloud, application: string): Promise<Image[]> {
  const options = { signal: AbortSignal.timeout(60_000) };
  const images = await listImages(cloud, { owner: cloud.projectId }, options);
  return images.filter(
    ({ name, properties }) => name.startsWith(application) || properties[TAG.application] === application,
  );
}

async function leftovers(
  clouds: Readonly<Record<LabProject, Cloud>>,
  application: string,
  owner: Owner,
): Promise<string[]> {
  const options = { signal: AbortSignal.timeout(60_000) };
  const found = await Promise.all(
    Object.entries(clouds).map(async ([project, cloud]) => {
      const [servers, keyPairs, images] = await Promise.all([
        listServers(cloud, {}, options),
        listKeyPairs(cloud, options),
        imagesOf(cloud, application),
      ]);
      const kept = project === "builder" ? "base" : "runner";
      return [
        ...servers
          .filter(({ name, metadata }) => name.startsWith(application) || isOfApplication(metadata, owner))
          .map(({ name, status }) => `${project}: server ${name} ${status}`),
        ...keyPairs
          .filter(({ name }) => name.startsWith(application))
          .map(({ name }) => `${project}: key pair ${name}`),
        ...images
          .filter(({ status, properties }) => status !== "active" || properties[TAG.role] !== kept)
          .map(({ name, status }) => `${project}: image ${name} ${status}`),
      ];
    }),
  );
  return found.flat();
}

/** Deletes whatever carries the name of `application`, which no other test uses. */
async function sweep(clouds: readonly Cloud[], application: string): Promise<void> {
  const options = { signal: AbortSignal.timeout(120_000), everyMs: 300 };
  await Promise.all(
    clouds.map(async (cloud) => {
      const servers = await listServers(cloud, {}, options);
      for (const { id } of servers.filter(({ name }) => name.startsWith(application))) {
        await deleteServer(cloud, id, options);
        await waitForServerGone(cloud, id, options);
      }
      for (const { name } of await listKeyPairs(cloud, options)) {
        if (name.startsWith(application)) await deleteKeyPair(cloud, name, options);
      }
      for (const { id } of await imagesOf(cloud, application)) await deleteImage(cloud, id, options);
      for (const { id, name } of await listSecurityGroups(cloud, {}, options)) {
        if (name.startsWith(application)) await deleteSecurityGroup(cloud, id, options);
      }
    }),
  );
}

/** The folder of `request`'s build, seen from its file's place. */
export const folderOf = (workshop: Workshop, request: BuildRequest): string =>
  join(workshop.folder, "builds", request.id);
