/** All time limits of a build, in milliseconds. */
import { minutes, seconds } from "../base/deadline.ts";

/** Named for what they bound; each is measured from the start of that step. */
export const LIMITS = {
  signIn: minutes(2),
  reap: minutes(5),
  baseImage: minutes(60),
  choose: minutes(2),
  launch: minutes(20),
  connect: minutes(15),
  cloudInit: minutes(60),
  script: minutes(60),
  manifest: minutes(5),
  clean: minutes(10),
  stop: minutes(10),
  snapshot: minutes(60),
  upload: minutes(120),
  publish: minutes(5),
  prune: minutes(10),
  delete: minutes(10),
  /** Removing all images from a cloud that departed. */
  removal: minutes(10),
  /** A whole build, whatever its steps do. */
  build: minutes(360),
  /** What a build that is told to end may take to delete what it made. */
  unwind: minutes(10),
} as const;

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
