/** OpenStack for the rest of the program. Importing this loads no HTTP library: `openCloud` does. */
export { type CloudAuth, cloudKey } from "./auth.ts";
export { formatCloudsYaml, parseCloudsYaml } from "./clouds-yaml.ts";
export { loadOpenStack, openCloud } from "./session.ts";
export type { CallOptions, Cloud, Service } from "./types.ts";
export {
  ImageFailedError,
  isConflict,
  isForbidden,
  isNotFound,
  isQuotaExceeded,
  isUnauthorized,
  mayStartAnew,
  OpenStackError,
  ServerFailedError,
} from "./errors.ts";
export {
  type ComputeLimits,
  type Flavor,
  type Limit,
  listFlavors,
  readComputeLimits,
} from "./compute/flavors.ts";
export { createKeyPair, deleteKeyPair, type KeyPair, listKeyPairs } from "./compute/keypairs.ts";
export {
  createServer,
  deleteServer,
  getServer,
  listServers,
  type NewServer,
  type Server,
  type ServerAddress,
} from "./compute/servers.ts";
export { consoleOutput, createServerImage, stopServer } from "./compute/server-actions.ts";
export {
  waitForServer,
  waitForServerGone,
  waitForServerIdle,
  type WaitOptions,
} from "./compute/server-waits.ts";
export { listNetworks, type Network } from "./network/networks.ts";
export {
  addSecurityGroupRule,
  createSecurityGroup,
  deleteSecurityGroup,
  listSecurityGroups,
  type NewSecurityGroupRule,
  type SecurityGroup,
  setSecurityGroupTags,
} from "./network/security-groups.ts";
export {
  createImage,
  deleteImage,
  getImage,
  type Image,
  type ImageChanges,
  type ImageFilter,
  listImages,
  type NewImage,
  updateImageProperties,
  waitForImage,
} from "./image/images.ts";
export { type ImageFormats, readImageFormats } from "./image/formats.ts";
export { downloadImage, uploadImage } from "./image/image-data.ts";
