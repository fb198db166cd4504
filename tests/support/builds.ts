/** Build requests, and builds as the history tells them, for tests to change. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Build } from "../../src/build/history.ts";
import type { Artifact, BuildRequest, Owner } from "../../src/build/types.ts";

/** A unit. */
export const OWNER: Owner = {
  modelUuid: "0e2f1a52-3f4b-4c5d-8e6f-7a8b9c0d1e2f",
  application: "builder",
  unit: "builder/0",
};

/** A request that is right in every field. */
export function requestWith(changes: Partial<BuildRequest> = {}): BuildRequest {
  return {
    id: "20261123t195102-3f9a",
    kind: "build",
    inputs: "inputs-1",
    access: "access-1",
    secretsDigest: "secrets-1",
    reason: "schedule",
    createdAt: "2026-11-23T19:51:02.000Z",
    owner: OWNER,
    otherUnits: [],
    images: [{ base: "noble", arch: "x64" }],
    targets: null,
    sources: [],
    cloudsFile: "/nowhere/clouds.yaml",
    buildCloud: "builder",
    flavor: "",
    network: "",
    baseImageMirror: "https://cloud-images.example",
    baseImageSerial: "",
    requireSignature: false,
    parallelImages: 2,
    recipe: {
      packages: [],
      snaps: ["aproxy=latest/edge"],
      npmPackages: ["yarn"],
      runnerVersion: "latest",
      runnerMirror: "https://releases.example/releases",
      aptMirror: "",
      yqMirror: "",
      proxy: { http: "", https: "", noProxy: "" },
    },
    script: null,
    secretsFile: null,
    limits: {},
    keepRevisions: 5,
    publishedFile: null,
    wake: [],
    ...changes,
  };
}

/** An artifact of noble-x64 in the cloud `runner`. */
export function artifactWith(changes: Partial<Artifact> = {}): Artifact {
  return {
    spec: { base: "noble", arch: "x64" },
    cloud: "runner",
    imageId: "image-1",
    sizeBytes: 10,
    hash: "sha512:abc",
    buildId: "20261123t195102-3f9a",
    createdAt: "2026-11-23T20:30:00.000Z",
    ...changes,
  };
}

/** A build that is done, without artifacts. */
export function buildWith(
  changes: Partial<Omit<Build, "request">> & { readonly request?: Partial<BuildRequest> } = {},
): Build {
  const { request: requestChanges, ...rest } = changes;
  const request = requestWith(requestChanges);
  return {
    id: request.id,
    folder: `/builds/${request.id}`,
    request: { ...request, images: [...request.images], targets: null },
    state: "done",
    startedAt: "2026-11-23T19:51:03.000Z",
    endedAt: "2026-11-23T20:31:03.000Z",
    steps: [],
    artifacts: [],
    snapshots: [],
    targets: ["runner"],
    targetsByImage: {},
    published: [],
    errors: [],
    advice: null,
    ...rest,
  };
}

/** Writes a build's folder below `builds`: its request and, line by line, its journal. Gives the folder. */
export async function writeBuild(
  builds: string,
  request: BuildRequest,
  journal: readonly (object | string)[] = [],
): Promise<string> {
  const folder = join(builds, request.id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "request.json"), JSON.stringify(request));
  const lines = journal.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  if (lines.length > 0) await writeFile(join(folder, "journal.jsonl"), `${lines.join("\n")}\n`);
  return folder;
}
