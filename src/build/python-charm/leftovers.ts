/** What the Python charm left in the build project and nothing needs any more. Found by its traces, never by name alone. */
import {
  listImages,
  listKeyPairs,
  listServers,
  type CallOptions,
  type Cloud,
  type Image,
  type KeyPair,
  type Server,
} from "../../openstack/index.ts";
import { orphanImage, orphanKeyPair, orphanServer, type Orphan } from "../reap.ts";
import { readPublished } from "../steps/prune.ts";
import type { BuildRequest } from "../types.ts";
import {
  isUntagged,
  pythonBaseImageNames,
  pythonBuilderNames,
  pythonKeyPairName,
  specOfRunnerImage,
} from "./names.ts";
import { readTraces } from "./traces.ts";

/**
 * In the build cloud of `request`: its builder servers, its key pair, its base images and the snapshots behind its
 * copies, but for images that are published. None in other clouds, nor where there are no traces of it. Its security group is
 * shared by all applications of the project and stays.
 */
export async function findPythonLeftovers(
  { owner, buildCloud, publishedFile }: Pick<BuildRequest, "owner" | "buildCloud" | "publishedFile">,
  cloud: Cloud,
  call: CallOptions,
): Promise<readonly Orphan[]> {
  const traces = publishedFile === null ? null : await readTraces(publishedFile);
  if (publishedFile === null || traces === null || cloud.name !== buildCloud) return [];
  const [servers, keyPairs, images] = await Promise.all([
    listServers(cloud, {}, call),
    listKeyPairs(cloud, call),
    listImages(cloud, { owner: cloud.projectId }, call),
  ]);
  // after the images are listed: what is published meanwhile is none of them
  const published = (await readPublished(publishedFile)) ?? new Set();
  const [builders, bases] = [pythonBuilderNames(owner), pythonBaseImageNames(owner)];
  const isBuilder = ({ id, name, metadata }: Server): boolean =>
    traces.servers.includes(id) && builders.includes(name) && isUntagged(metadata);
  const isItsKey = ({ name, publicKey }: KeyPair): boolean =>
    name === pythonKeyPairName(owner) &&
    traces.publicKey !== null &&
    publicKey.trim().split(/\s+/).slice(0, 2).join(" ") === traces.publicKey;
  const isUseless = ({ id, name, properties }: Image): boolean => {
    const isBase = traces.images.includes(id) && bases.includes(name);
    const isSnapshot = traces.snapshots.includes(id) && specOfRunnerImage(name, owner) !== null;
    return isUntagged(properties) && !published.has(id) && (isBase || isSnapshot);
  };
  return [
    ...servers.filter(isBuilder).map((server) => orphanServer(cloud, server)),
    ...keyPairs.filter(isItsKey).map((keyPair) => orphanKeyPair(cloud, keyPair)),
    ...images.filter(isUseless).map((image) => orphanImage(cloud, image)),
  ];
}
