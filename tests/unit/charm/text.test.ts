import { describe, expect, test } from "vitest";
import { registerSecret } from "../../../src/base/redact.ts";
import { addressFlaw, quote, unprintable } from "../../../src/charm/text.ts";

describe("unprintable", () => {
  test("names the first character that cannot be printed, by its code point", () => {
    expect(unprintable("a\u001b\u0007")).toBe("U+001B");
    expect(unprintable("a\u{e0001}")).toBe("U+E0001");
    expect(unprintable("Zoë 😀 日本 e\u0301 \u00a0")).toBe(null);
  });
});

describe("addressFlaw", () => {
  test.each([
    ["http://k.example", null],
    ["https://[::1]:5000/v3", null],
    ["https://k.example/@x:0", null],
    ["https://k.example:00/", "port"],
    ["https://u@k.example:0/", "credentials"],
    ["https://k.example?x", "query"],
    [`https://k.example/${"a".repeat(2031)}`, "no address"],
    [`https://k.example/${"a".repeat(2030)}`, null],
  ])("of %s is %s", (text, flaw) => {
    expect(addressFlaw(text)).toBe(flaw);
  });
});

describe("quote", () => {
  test("shows 40 characters, with a mark for what cannot be printed", () => {
    expect(quote("short")).toBe('"short"');
    expect(quote("😀".repeat(40))).toBe(`"${"😀".repeat(40)}"`);
    expect(quote("x".repeat(41))).toBe(`"${"x".repeat(40)}..."`);
    expect(quote("x".repeat(1 << 20))).toBe(`"${"x".repeat(40)}..."`);
    expect(quote("a\u001b[31m\ud800")).toBe('"a?[31m?"');
  });

  test("shows neither a secret nor what stands in an address", () => {
    registerSecret("quoted-Secret-1");
    expect(quote("x quoted-Secret-1 y")).toBe('"x [redacted] y"');
    expect(quote("git+https://me:pass@x/y")).toBe('"git+https://..."');
  });
});
