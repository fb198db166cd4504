/** Juju's own version numbers: `3.6.9`, `4.0-beta1`, `3.7-rc1.2` (juju-rules 4.4). */

/** The agent's version; `text` is as Juju spells it. */
export interface JujuVersion {
  readonly text: string;
  /** False in the hooks in which Juju gives no version (`meter-status-changed` until 3.x). */
  readonly isKnown: boolean;
  /** Whether this version is `other` or a newer one; a pre-release is older than its release. */
  readonly atLeast: (other: string) => boolean;
}

interface Parts {
  readonly numbers: readonly [major: number, minor: number, patch: number, build: number];
  /** `beta`, `rc`...; `null` for a release. */
  readonly tag: string | null;
}

/** `4.0-beta1` has its patch number after the tag, as Juju's own parser reads it. */
function parse(text: string): Parts {
  const match = /^(\d+)\.(\d+)(?:\.(\d+)|-([a-z]+)(\d+))?(?:\.(\d+))?$/.exec(text);
  if (match === null) return { numbers: [0, 0, 0, 0], tag: null };
  const [, major, minor, patch, tag, tagPatch, build] = match;
  return {
    numbers: [Number(major), Number(minor), Number(patch ?? tagPatch ?? 0), Number(build ?? 0)],
    tag: tag ?? null,
  };
}

function compare(a: Parts, b: Parts): number {
  const byNumber = (index: 0 | 1 | 2 | 3): number => a.numbers[index] - b.numbers[index];
  const release = byNumber(0) || byNumber(1);
  if (release !== 0) return release;
  if (a.tag !== b.tag) {
    if (a.tag === null) return 1;
    if (b.tag === null) return -1;
    return a.tag < b.tag ? -1 : 1;
  }
  return byNumber(2) || byNumber(3);
}

/** Reads `JUJU_VERSION`; unset or not a version counts as 0.0.0, older than everything (juju-rules 4.4). */
export function jujuVersion(text: string | null): JujuVersion {
  const own = parse(text ?? "");
  return Object.freeze({
    text: text ?? "0.0.0",
    isKnown: text !== null,
    atLeast: (other: string) => compare(own, parse(other)) >= 0,
  });
}
