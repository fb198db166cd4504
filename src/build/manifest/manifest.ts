/** What is inside an image: plain data, whatever format it is kept in. */

/** Where a component comes from; `image` is what the image is made of as a whole. */
export const KINDS = ["image", "deb", "snap", "npm", "pip"] as const;
/** One of {@link KINDS}. */
export type Kind = (typeof KINDS)[number];

/** One thing with a version. Of kind `image`: `ubuntu`, `base image`, `kernel`, `actions-runner`, `recipe`. */
export interface Component {
  readonly kind: Kind;
  readonly name: string;
  readonly version: string;
  /** Debian's architecture or the snap's channel; empty for the others. */
  readonly variant: string;
}

/** A section of the recipe as it ran. */
export interface SectionRun {
  readonly name: string;
  readonly seconds: number;
  readonly tries: number;
}

/** What the guest says of itself at the end of a build. */
export interface GuestContents {
  /** Release of the system, `24.04`, and its code name. */
  readonly release: { readonly id: string; readonly version: string; readonly codename: string };
  /** Serial of Ubuntu's cloud image, `20260321`; null where the guest knows none. */
  readonly serial: string | null;
  /** Version of the kernel that the next boot takes. */
  readonly kernel: string;
  readonly runnerVersion: string;
  readonly components: readonly Component[];
  readonly sections: readonly SectionRun[];
  /** Parts that could not be read, a sentence each. */
  readonly notRead: readonly string[];
}
