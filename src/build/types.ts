/** The nouns of a build. Plain data; parsed from text only in `request.ts` and `journal.ts`. */

import type { LimitChanges } from "../base/limits.ts";

/** Architectures of runner images, as GitHub labels them; also the first part of the `tags` databag key. */
export const ARCHITECTURES = ["x64", "arm64", "s390x", "ppc64le", "arm"] as const;
/** One of {@link ARCHITECTURES}. */
export type Arch = (typeof ARCHITECTURES)[number];

/** Ubuntu releases that images are built from, by code name. */
export const BASES = ["focal", "jammy", "noble", "resolute"] as const;
/** One of {@link BASES}. */
export type Base = (typeof BASES)[number];

/** Which image: one Ubuntu release on one architecture. */
export interface ImageSpec {
  readonly base: Base;
  readonly arch: Arch;
}

/** `noble-x64`: how an image is called in statuses, logs and paths. */
export function specName(spec: ImageSpec): string {
  return `${spec.base}-${spec.arch}`;
}

/** Whom a cloud resource belongs to; written on every resource, so that a reaper knows its own. */
export interface Owner {
  readonly modelUuid: string;
  readonly application: string;
  readonly unit: string;
}

/** Proxies for downloads on the builder machine and in the guest; empty string = none. */
export interface Proxy {
  readonly http: string;
  readonly https: string;
  readonly noProxy: string;
}

/** The operator's script that runs in the guest after cloud-init. */
export interface ScriptSource {
  readonly url: string;
  /** Hex SHA-256 that the script must have; empty = any. */
  readonly sha256: string;
}

/** What goes into an image, the same for all images of a build. */
export interface Recipe {
  /** Changes to the default Debian packages: `name` adds, `-name` removes, `-*` removes all defaults. */
  readonly packages: readonly string[];
  /** Snap instructions `name[=channel][:classic]`. */
  readonly snaps: readonly string[];
  /** Packages from the npm registry, installed globally in the guest. */
  readonly npmPackages: readonly string[];
  /** Runner version such as `2.330.0`; `latest` is resolved before the server is launched. */
  readonly runnerVersion: string;
  /** Base URL of runner releases, laid out as GitHub's `…/releases`. */
  readonly runnerMirror: string;
  /** URL that replaces the archive in the guest's apt sources; empty = leave them. */
  readonly aptMirror: string;
  /** Base URL of yq's releases, laid out as GitHub's `…/releases`; empty = no yq. */
  readonly yqMirror: string;
  readonly proxy: Proxy;
}

/**
 * What a request asks for: `copy` brings images that exist to clouds that lack them, and builds only what nobody has;
 * `adopt` makes images that another revision of the charm published known, and builds nothing.
 */
export const BUILD_KINDS = ["build", "initialise", "copy", "adopt"] as const;
/** One of {@link BUILD_KINDS}. */
export type BuildKind = (typeof BUILD_KINDS)[number];

/** An image that exists and may be copied. */
export interface Source {
  readonly spec: ImageSpec;
  /** Name of its cloud in clouds.yaml. */
  readonly cloud: string;
  readonly imageId: string;
  /** The build that made its content. */
  readonly buildId: string;
}

/** What a builder is told on tmpfs alone. */
export interface BuildSecrets {
  /** Environment variables of the operator's script. */
  readonly script: Readonly<Record<string, string>>;
  /** Where to tell of failures and publications; it may hold a token. Null: nobody is told. */
  readonly notifyUrl: string | null;
}

/** One order to the builder, written by the charm (or by hand) as `request.json`. */
export interface BuildRequest {
  readonly id: string;
  /** `initialise` only brings base images and security group into the build cloud. */
  readonly kind: BuildKind;
  /** Digest of what the images are made from; the charm builds anew when it changes. */
  readonly inputs: string;
  /** Digest of the clouds' addresses and credentials; a failed build is repeated when it changes. */
  readonly access: string;
  /** Digest of the script's secrets; like `inputs`, but nobody else is told of it. */
  readonly secretsDigest: string;
  /** Why the build was asked for: `schedule`, `action`, `config`, `relation`, `release`, `retry`, `switch`, `hand`. */
  readonly reason: string;
  readonly createdAt: string;
  readonly owner: Owner;
  /** The application's other units: what they made is theirs, what other units made may be reaped. */
  readonly otherUnits: readonly string[];
  readonly images: readonly ImageSpec[];
  /** Names of the clouds that get copies; null: every cloud in `cloudsFile` but the build cloud. */
  readonly targets: readonly string[] | null;
  /** Of a `copy`: what may be copied, the best of each image first. Of an `adopt`: what is published where. */
  readonly sources: readonly Source[];
  /**
   * Path of the clouds.yaml that holds the build cloud and the targets: every other cloud in it gets a copy of
   * each image. Read again right before an upload, so that a cloud that joined during the build is served.
   */
  readonly cloudsFile: string;
  /** Name of the build cloud in `cloudsFile`. */
  readonly buildCloud: string;
  /** Flavor name or id; empty = the smallest that fits. */
  readonly flavor: string;
  /** Network name or id; empty = the only usable one. */
  readonly network: string;
  readonly baseImageMirror: string;
  /** Serial of the base images such as `20261120` or `20261120.1`; empty = the mirror's current one. */
  readonly baseImageSerial: string;
  /** Whether a mirror without a signature of its SHA256SUMS is refused; a wrong signature always is. */
  readonly requireSignature: boolean;
  /** Images that are built at the same time, at most. */
  readonly parallelImages: number;
  readonly recipe: Recipe;
  readonly script: ScriptSource | null;
  /** A file on tmpfs with {@link BuildSecrets} as JSON; the builder removes it when it has read it. */
  readonly secretsFile: string | null;
  /** Time limits that differ from the usual ones. */
  readonly limits: LimitChanges;
  /** Published revisions to keep per image and cloud. */
  readonly keepRevisions: number;
  /** File in which the charm records what it published; the builder prunes by it. Null: never prune. */
  readonly publishedFile: string | null;
  /** Command that tells the charm of a change; empty = nobody listens. */
  readonly wake: readonly string[];
}

/** One verified image in one cloud: what a relation may publish. */
export interface Artifact {
  readonly spec: ImageSpec;
  /** Name of the cloud in clouds.yaml. */
  readonly cloud: string;
  readonly imageId: string;
  readonly sizeBytes: number;
  /** Hash of the data as Glance computed it, `sha512:…`. */
  readonly hash: string;
  /** The build that made its content, its revision; of a copy of an older image not the one that copied it. */
  readonly buildId: string;
  readonly createdAt: string;
}
