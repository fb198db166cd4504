/** The real OpenStack that the cloud tier runs against, and things in it that clean up after themselves. */
import { randomBytes } from "node:crypto";
import { silentLogger } from "../../src/base/log.ts";
import {
  type Cloud,
  type CloudAuth,
  createImage,
  deleteImage,
  type Image,
  type NewImage,
  openCloud,
} from "../../src/openstack/index.ts";

const KEYSTONE = "http://127.0.0.2:5000/v3";

/** Projects of the lab's cloud; each has a user of its own name. */
export type LabProject = "builder" | "runner-a" | "runner-b";

/** Credentials for the lab's cloud with Nova's fake driver. Throws when it does not answer. */
export async function fakeCloudAuth(project: LabProject): Promise<CloudAuth> {
  try {
    const reply = await fetch(KEYSTONE, { signal: AbortSignal.timeout(5000) });
    if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
  } catch (cause) {
    throw new Error(`no OpenStack answers at ${KEYSTONE}; the cloud tests need the lab's fake-driver cloud`, {
      cause,
    });
  }
  return {
    authUrl: KEYSTONE,
    projectName: project,
    projectDomainName: "Default",
    username: project,
    userDomainName: "Default",
    password: `${project}-pass`,
    region: null,
    caFile: null,
  };
}

/** Signs in as `project`; disposing closes the cloud. */
export async function openFakeCloud(project: LabProject): Promise<Cloud & Disposable> {
  const auth = await fakeCloudAuth(project);
  const cloud = await openCloud(`lab ${project}`, auth, {
    signal: AbortSignal.timeout(60_000),
    log: silentLogger,
  });
  return { ...cloud, [Symbol.dispose]: () => cloud.close() };
}

/** A name that no other test uses. */
export const uniqueName = (what: string): string => `test-${what}-${randomBytes(4).toString("hex")}`;

/** Runs `undo` when the block ends; it has a minute of its own. */
export function onExit(
  undo: (options: { readonly signal: AbortSignal }) => Promise<unknown>,
): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await undo({ signal: AbortSignal.timeout(60_000) });
    },
  };
}

/** A queued image that is deleted when the block ends. */
export async function createTestImage(
  cloud: Cloud,
  changes: Partial<NewImage> = {},
): Promise<Image & AsyncDisposable> {
  const image = await createImage(
    cloud,
    {
      name: uniqueName("image"),
      diskFormat: "raw",
      containerFormat: "bare",
      minDiskGb: 0,
      minRamMb: 0,
      visibility: "private",
      tags: [],
      properties: {},
      ...changes,
    },
    { signal: AbortSignal.timeout(60_000) },
  );
  return { ...image, ...onExit((options) => deleteImage(cloud, image.id, options)) };
}

/** Protects an image against deletion (Glance API, `PATCH /v2/images/{id}`) until the block ends. */
export async function protectImage(cloud: Cloud, project: LabProject, id: string): Promise<AsyncDisposable> {
  const { authUrl, username, password, userDomainName, projectName, projectDomainName } =
    await fakeCloudAuth(project);
  const user = { name: username, password, domain: { name: userDomainName } };
  const scope = { project: { name: projectName, domain: { name: projectDomainName } } };
  const identity = { methods: ["password"], password: { user } };
  const signIn = await fetch(`${authUrl}/auth/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ auth: { identity, scope } }),
  });
  const token = signIn.headers.get("x-subject-token") ?? "";
  const set = async (value: boolean): Promise<void> => {
    const reply = await fetch(`${new URL(cloud.authUrl).origin.replace(/:\d+$/, ":9292")}/v2/images/${id}`, {
      method: "PATCH",
      headers: { "content-type": "application/openstack-images-v2.1-json-patch", "x-auth-token": token },
      body: JSON.stringify([{ op: "replace", path: "/protected", value }]),
    });
    if (!reply.ok) throw new Error(`cannot protect image ${id}: HTTP ${reply.status}`);
  };
  await set(true);
  return {
    async [Symbol.asyncDispose]() {
      await set(false);
    },
  };
}
