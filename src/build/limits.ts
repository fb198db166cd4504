/** How often a build looks, and the smallest server; its time limits are in base/limits.ts. */
import { seconds } from "../base/deadline.ts";

/** Pause between two looks at a resource that is changing its state. */
export const POLL = {
  server: seconds(1),
  image: seconds(1),
  /** An upload that another unit is at. */
  foreignUpload: seconds(5),
  /** How often the server is looked at while its guest does not answer. */
  silentGuest: seconds(5),
  connect: seconds(1),
} as const;

/** Smallest server that a build runs on. */
export const BUILDER_MINIMUM = { vcpus: 2, ramMb: 1024, diskGb: 10 } as const;
