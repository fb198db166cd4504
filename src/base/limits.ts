/** All time limits that an operator may know of: one table, each with its name in the option `time-limits`. */
const minutes = (n: number): number => n * 60_000;
const seconds = (n: number): number => n * 1000;

/**
 * In milliseconds. Limits of steps are measured from the step's start, those of calls from the call's. What has no
 * limit here ends with the step that it belongs to.
 */
export const LIMITS = {
  /** One call to OpenStack with its sign-in, its retries and their pauses. */
  call: seconds(60),
  /** A call that can be repeated is repeated when its connection is silent for this long. */
  callSilence: seconds(25),
  /** Until a download from Glance begins. */
  firstByte: seconds(90),
  /** A transfer whose connection is silent for this long has died; Glance may well think a minute after the last byte. */
  transferSilence: minutes(5),
  signIn: minutes(2),
  reap: minutes(5),
  baseImage: minutes(60),
  /** Flavor, network, security group, runner version, script: each. */
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
  /** Removing all images from a cloud that departed. */
  removal: minutes(10),
  /** A whole build, whatever its steps do. */
  build: minutes(360),
  /** What a build that is told to end may take to delete what it made. */
  unwind: minutes(10),
} as const;

/** A name in {@link LIMITS}. */
export type LimitName = keyof typeof LIMITS;
/** A whole table, in milliseconds. */
export type Limits = Readonly<Record<LimitName, number>>;
/** The entries that differ from {@link LIMITS}. */
export type LimitChanges = Readonly<Partial<Limits>>;

/** Nothing may take longer. */
export const LONGEST_LIMIT_MS = minutes(24 * 60);

/** The name as operators write it: `cloud-init` of `cloudInit`. */
export function limitOption(name: LimitName): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** {@link LIMITS} with `changes`. */
export function limitsWith(changes: LimitChanges): Limits {
  return { ...LIMITS, ...changes };
}

const NAMES = new Map((Object.keys(LIMITS) as LimitName[]).map((name) => [limitOption(name), name]));
const UNITS: Readonly<Record<string, number>> = { s: seconds(1), m: minutes(1), h: minutes(60) };

/** The changes that `script=90m, upload=3h` asks for, or what to write instead. */
export function parseLimits(text: string): LimitChanges | { readonly fix: string } {
  const changes = new Map<LimitName, number>();
  for (const item of text.split(/[\s,]+/).filter((part) => part !== "")) {
    const [, option = "", amount = "", unit = ""] = /^([a-z-]+)=(\d{1,6})([smh])$/.exec(item) ?? [];
    const name = NAMES.get(option);
    if (name === undefined) {
      return { fix: "write it as name=time, such as script=90m; docs/reference/limits.md has the names" };
    }
    const ms = Number(amount) * (UNITS[unit] ?? 0);
    if (ms < 1 || ms > LONGEST_LIMIT_MS) return { fix: `set ${option} to a time from 1s to 24h` };
    if (changes.has(name)) return { fix: `name ${option} once only` };
    changes.set(name, ms);
  }
  return Object.fromEntries(changes);
}
