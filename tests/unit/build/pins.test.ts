import { describe, expect, test } from "vitest";
import {
  formatPins,
  laterPins,
  NO_PINS,
  parsePins,
  pinned,
  withoutPins,
  withPin,
} from "../../../src/build/pins.ts";
import { artifactWith } from "../../support/builds.ts";

const NOBLE = { base: "noble", arch: "x64" } as const;
const JAMMY = { base: "jammy", arch: "x64" } as const;
const at = (hour: number): Date => new Date(Date.UTC(2026, 10, 24, hour));
const old = artifactWith({ buildId: "b1", imageId: "old" });
const fresh = artifactWith({ buildId: "b2", imageId: "fresh" });
const jammy = artifactWith({ spec: JAMMY, buildId: "b2", imageId: "jammy" });
const held = withPin(NO_PINS, { spec: NOBLE, buildId: "b1", copies: [old] }, at(1));

describe("pins", () => {
  test("leave of a pinned image the pinned revision alone, and other images as they are", () => {
    expect(pinned([fresh, jammy], held).map(({ imageId }) => imageId)).toEqual(["old", "jammy"]);
    expect(pinned([fresh, jammy], NO_PINS)).toEqual([fresh, jammy]);
  });

  test("let a copy of the pinned revision through that was made later, and none that was gone by then", () => {
    const copy = artifactWith({
      cloud: "second",
      buildId: "b1",
      imageId: "copy",
      createdAt: at(2).toISOString(),
    });
    const pruned = artifactWith({ cloud: "third", buildId: "b1", imageId: "pruned" });
    expect(pinned([fresh, copy, pruned], held).map(({ imageId }) => imageId)).toEqual(["old", "copy"]);
  });

  test("hold each image once", () => {
    const again = withPin(held, { spec: NOBLE, buildId: "b2", copies: [fresh] }, at(2));
    expect(again.pins.map(({ buildId }) => buildId)).toEqual(["b2"]);
    const two = withPin(again, { spec: JAMMY, buildId: "b2", copies: [jammy] }, at(3));
    expect(withoutPins(two, ["noble-x64"], at(4)).pins.map(({ spec }) => spec.base)).toEqual(["jammy"]);
    expect(withoutPins(two, null, at(4))).toEqual({ at: at(4).toISOString(), pins: [] });
  });

  test("that were changed last win, also when there are none any more", () => {
    const none = withoutPins(held, null, at(5));
    expect(laterPins(held, none)).toBe(none);
    expect(laterPins(none, held)).toBe(none);
    expect(laterPins(NO_PINS, held)).toBe(held);
  });

  test("survive being written", () => {
    expect(parsePins(formatPins(held))).toEqual(held);
  });

  test.each([undefined, "", "nonsense", "[]", '{"at":1,"pins":[]}'])("are none in %j", (text) => {
    expect(parsePins(text)).toEqual(NO_PINS);
  });
});
