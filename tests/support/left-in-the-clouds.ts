/** What a build must not leave. */
import { silentLogger } from "../../src/base/log.ts";
import { listImages, listKeyPairs, listServers, openCloud } from "../../src/openstack/index.ts";
import type { LabCloud, LabProject } from "../../lab/lab.ts";

/** Names of all servers, key pairs and images but base images in these projects. */
export async function leftInTheClouds(
  lab: LabCloud,
  projects: readonly LabProject[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const left: string[] = [];
  for (const project of projects) {
    const auth = { ...lab.credentials(project), caFile: null };
    const cloud = await openCloud(project, auth, { signal, log: silentLogger });
    using _closing = { [Symbol.dispose]: () => cloud.close() };
    const images = await listImages(cloud, { owner: cloud.projectId }, { signal });
    left.push(
      ...(await listServers(cloud, {}, { signal })).map(({ name }) => name),
      ...(await listKeyPairs(cloud, { signal })).map(({ name }) => name),
      ...images.map(({ name }) => name).filter((name) => !name.includes("-image-builder-base-")),
    );
  }
  return left;
}
