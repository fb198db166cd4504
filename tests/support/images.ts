/** Images as Glance describes them. */
import type { Image } from "../../src/openstack/index.ts";

/** An active private image. */
export function imageWith(changes: Partial<Image> = {}): Image {
  return {
    id: "image-1",
    name: "builder-noble-x64",
    status: "active",
    sizeBytes: 10,
    virtualSizeBytes: null,
    hashAlgorithm: "sha512",
    hashValue: "abc",
    diskFormat: "qcow2",
    containerFormat: "bare",
    minDiskGb: 0,
    minRamMb: 0,
    visibility: "private",
    owner: "p1",
    isProtected: false,
    tags: [],
    createdAt: new Date(0),
    properties: {},
    ...changes,
  };
}
