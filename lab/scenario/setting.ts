/** Whom a scenario is about: fixed for all its runs. */
import type { Charm } from "../juju/charm.ts";

/** The charm, the unit that runs it, and the version of Juju. */
export interface Setting {
  readonly charm: Charm;
  readonly application: string;
  /** As `app/0`. */
  readonly unit: string;
  /** As `3.6.9`. */
  readonly version: string;
}

/** Whether the version of `setting` is at least `major`.`minor`. */
export function isAtLeast({ version }: Pick<Setting, "version">, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split(/[.-]/).map(Number);
  return ownMajor === major ? ownMinor >= minor : ownMajor > major;
}
