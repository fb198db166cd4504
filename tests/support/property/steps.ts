/**
 * What can happen to a deployed charm, as data. A step names units, relations and builds by any number: whoever
 * carries it out takes it modulo how many there are, and skips a step that has nothing to work on. So each part
 * of a sequence is a sequence again, which shrinking lives on.
 */
import type { Random } from "./random.ts";

/** How a build ends; `half` brings images to some clouds alone and fails for the others. */
export type BuildEnd = "done" | "failed" | "half" | "killed";

/** Options that a step sets, good and bad ones. */
export const CONFIGS = [
  { "build-interval": 0 },
  { "build-interval": 3 },
  { "base-image": "noble" },
  { "base-image": "noble,jammy" },
  { "base-image": "jammy" },
  { "base-image": "bionic" },
  { "apt-packages": "htop" },
  { "apt-packages": "" },
] as const;

/** Hook commands whose call a crash strikes. */
const STRUCK = [
  "config-get",
  "secret-get",
  "relation-get",
  "relation-set",
  "status-set",
  "is-leader",
] as const;

/** One step. */
export type Step =
  | { readonly do: "relate"; readonly account: number; readonly silent: boolean }
  | { readonly do: "unrelate"; readonly relation: number }
  | {
      readonly do: "write";
      readonly relation: number;
      readonly unit: number;
      readonly account: number;
      readonly rotated: boolean;
    }
  | { readonly do: "clear"; readonly relation: number; readonly unit: number }
  | { readonly do: "add remote unit"; readonly relation: number; readonly account: number }
  | { readonly do: "remove remote unit"; readonly relation: number; readonly unit: number }
  | { readonly do: "configure"; readonly config: number }
  | { readonly do: "rotate secret" | "revoke secret" | "grant secret" }
  | {
      readonly do: "update-status" | "tick" | "wake" | "action" | "lead" | "remove unit";
      readonly unit: number;
    }
  | { readonly do: "add unit" | "upgrade" }
  | { readonly do: "end build"; readonly how: BuildEnd; readonly wakes: boolean }
  /** Strikes the next step: kills the hook at that call, fails the call, or refuses the commit. */
  | {
      readonly do: "crash";
      readonly how: "kill" | "fail" | "refuse";
      readonly command: string;
      readonly unit: number;
    };

const MANY = 1_000;

type Draw = (random: Random) => Step;

/** Each kind of step with how often it comes. */
const KINDS: readonly (readonly [number, Draw])[] = [
  [4, ({ whole }) => ({ do: "relate", account: whole(MANY), silent: whole(4) === 0 })],
  [2, ({ whole }) => ({ do: "unrelate", relation: whole(MANY) })],
  [
    3,
    ({ whole }) => ({
      do: "write",
      relation: whole(MANY),
      unit: whole(MANY),
      account: whole(MANY),
      rotated: whole(2) === 0,
    }),
  ],
  [1, ({ whole }) => ({ do: "clear", relation: whole(MANY), unit: whole(MANY) })],
  [1, ({ whole }) => ({ do: "add remote unit", relation: whole(MANY), account: whole(MANY) })],
  [1, ({ whole }) => ({ do: "remove remote unit", relation: whole(MANY), unit: whole(MANY) })],
  [3, ({ whole }) => ({ do: "configure", config: whole(CONFIGS.length) })],
  [2, ({ pick }) => ({ do: pick(["rotate secret", "revoke secret", "grant secret", "grant secret"]) })],
  [
    6,
    ({ pick, whole }) => ({
      do: pick(["update-status", "tick", "tick", "wake", "action", "action", "lead", "lead", "remove unit"]),
      unit: whole(MANY),
    }),
  ],
  [2, ({ pick }) => ({ do: pick(["add unit", "add unit", "upgrade"]) })],
  [
    9,
    ({ pick, whole }) => ({
      do: "end build",
      how: pick(["done", "done", "done", "failed", "half", "killed"]),
      wakes: whole(4) > 0,
    }),
  ],
  [
    3,
    ({ pick, whole }) => ({
      do: "crash",
      how: pick(["kill", "fail", "refuse"]),
      command: pick(STRUCK),
      unit: whole(MANY),
    }),
  ],
];

/** `count` steps. */
export function drawSteps(random: Random, count: number): readonly Step[] {
  const total = KINDS.reduce((sum, [weight]) => sum + weight, 0);
  return Array.from({ length: count }, () => {
    let ticket = random.whole(total);
    const kind = KINDS.find(([weight]) => (ticket -= weight) < 0);
    if (kind === undefined) throw new Error("the weights do not add up");
    return kind[1](random);
  });
}

/** The element of `items` that `number` names; undefined of none. */
export function chosen<T>(items: readonly T[], number: number): T | undefined {
  return items[number % items.length];
}
