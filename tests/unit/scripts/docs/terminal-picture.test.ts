import { describe, expect, test } from "vitest";
import { movingPicture, stillPicture } from "../../../../scripts/docs/terminal-picture.ts";

const textsIn = (svg: string): readonly string[] =>
  Array.from(svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g), ([, text = ""]) => text);
const offsetsIn = (svg: string): readonly number[] =>
  Array.from(svg.matchAll(/%\{transform:translateY\((-?\d+)px\)\}/g), ([, offset]) => Number(offset));
const secondsOf = (svg: string): number => Number(/animation:t ([\d.]+)s/.exec(svg)?.[1]);

describe("a picture of a terminal", () => {
  test("has every line, as XML wants it, cut where the terminal ends", () => {
    const svg = stillPicture(["$ juju status", `a <b> & "c"\u001b[1m`, "x".repeat(300)]);
    expect(textsIn(svg)).toEqual(["$ juju status", 'a &lt;b&gt; &amp; "c"[1m', `${"x".repeat(169)}…`]);
  });

  test("grows with its lines when it is still", () => {
    const height = (svg: string): number => Number(/height="(\d+)"/.exec(svg)?.[1]);
    expect(height(stillPicture(["a", "b", "c"])) - height(stillPicture(["a"]))).toBe(34);
  });

  test("moves up a line at a time, the newest at the bottom, and ends where it stands without motion", () => {
    const svg = movingPicture(["a", "b", "c"].map((text, index) => ({ at: index * 100, text })));
    expect(offsetsIn(svg)).toEqual([510, 493, 476, 459, 459]);
    expect(svg).toContain("#t{transform:translateY(459px)}");
  });

  test("waits in it are shorter than life, and none is long", () => {
    const lasting = (gap: number): number =>
      secondsOf(
        movingPicture([
          { at: 0, text: "a" },
          { at: gap, text: "b" },
        ]),
      );
    expect(lasting(10_000) - lasting(0)).toBeCloseTo(0.34, 2);
    expect(lasting(600_000)).toBe(lasting(60_000));
  });
});
