/** What an operator holds published: images that no newer build replaces until they are unpinned. */
import * as v from "valibot";
import { readOptional, writeAtomic } from "../base/files.ts";
import { ARCHITECTURES, BASES, specName, type Artifact, type ImageSpec } from "./types.ts";

/** Name of the file with the pins, beside the one that says what is published. */
export const PINS_FILE = "pins.json";

const text = v.string();
const spec = v.object({ base: v.picklist(BASES), arch: v.picklist(ARCHITECTURES) });
const schema = v.object({
  at: text,
  pins: v.array(
    v.object({
      spec,
      buildId: text,
      at: text,
      copies: v.array(
        v.object({
          spec,
          cloud: text,
          imageId: text,
          sizeBytes: v.number(),
          hash: text,
          buildId: text,
          createdAt: text,
        }),
      ),
    }),
  ),
});

/** One image held at one revision. */
export interface Pin {
  readonly spec: ImageSpec;
  /** The build that made its content. */
  readonly buildId: string;
  /** When it was pinned (ISO 8601). */
  readonly at: string;
  /** Where it was found then: elsewhere it may be gone, whatever a journal says. */
  readonly copies: readonly Artifact[];
}

/** All pins, and when they were changed last (ISO 8601, empty: never). */
export interface Pins {
  readonly at: string;
  readonly pins: readonly Pin[];
}

/** Nothing was ever pinned. */
export const NO_PINS: Pins = { at: "", pins: [] };

/** The pins that `json` tells of; none when it is no such text. */
export function parsePins(json: string | undefined): Pins {
  if (json === undefined) return NO_PINS;
  try {
    const result = v.safeParse(schema, JSON.parse(json));
    return result.success ? result.output : NO_PINS;
  } catch (error) {
    if (error instanceof SyntaxError) return NO_PINS;
    throw error;
  }
}

/** The text that {@link parsePins} reads. */
export function formatPins(pins: Pins): string {
  return JSON.stringify(pins);
}

/** The pins in the file `path`. */
export async function readPins(path: string): Promise<Pins> {
  return parsePins(await readOptional(path));
}

/** Writes `pins` to the file `path`. */
export async function writePins(path: string, pins: Pins): Promise<void> {
  await writeAtomic(path, `${formatPins(pins)}\n`, 0o600);
}

/** Of two records the one that was changed last. */
export function laterPins(a: Pins, b: Pins): Pins {
  return b.at > a.at ? b : a;
}

/** `pins` with `pin` in the place of that image's former one; changed at `now`. */
export function withPin({ pins }: Pins, pin: Omit<Pin, "at">, now: Date): Pins {
  const others = pins.filter((one) => specName(one.spec) !== specName(pin.spec));
  const at = now.toISOString();
  return { at, pins: [...others, { ...pin, at }] };
}

/** `pins` without those of `images` (names such as `noble-x64`; null: of all images); changed at `now`. */
export function withoutPins({ pins }: Pins, images: readonly string[] | null, now: Date): Pins {
  const rest = images === null ? [] : pins.filter((pin) => !images.includes(specName(pin.spec)));
  return { at: now.toISOString(), pins: rest };
}

/**
 * Those of `artifacts` that may be published: of a pinned image what its pin tells of, and copies of that revision that
 * were made since. An older copy that the pin does not tell of has been pruned.
 */
export function pinned(artifacts: readonly Artifact[], { pins }: Pins): readonly Artifact[] {
  const byImage = new Map(pins.map((pin) => [specName(pin.spec), pin]));
  const free = artifacts.filter((artifact) => {
    const pin = byImage.get(specName(artifact.spec));
    return pin === undefined || (pin.buildId === artifact.buildId && artifact.createdAt > pin.at);
  });
  // first: what a journal tells of the same revision is newer
  return [...pins.flatMap(({ copies }) => copies), ...free];
}
