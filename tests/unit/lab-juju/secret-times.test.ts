import { describe, expect, it } from "vitest";
import { expiryTime, nextRotation } from "../../../lab/juju/secret-times.ts";

const NOW = Date.parse("2026-01-31T10:00:00Z");

describe("the expiry of a secret", () => {
  it.each([
    ["2030-05-06T07:08:09Z", "2030-05-06T07:08:09Z"],
    ["2030-05-06T07:08:09+02:00", "2030-05-06T05:08:09Z"],
    ["2030-05-06T07:08:09", "2030-05-06T07:08:09Z"],
    ["1h30m", "2026-01-31T11:30:00Z"],
    ["1.5m500ms", "2026-01-31T10:01:30Z"],
  ])("%s is at %s", (text, time) => {
    expect(expiryTime(text, NOW)).toBe(time);
  });

  it.each([
    ["tomorrow", 'expire time or duration "tomorrow" not valid'],
    ["5", 'expire time or duration "5" not valid'],
    ["-5m", 'negative expire duration "-5m" not valid'],
  ])("%s is refused", (text, message) => {
    expect(() => expiryTime(text, NOW)).toThrow(message);
  });
});

describe("the next rotation", () => {
  it.each([
    ["never", ""],
    ["hourly", "2026-01-31T11:00:00Z"],
    ["weekly", "2026-02-07T10:00:00Z"],
    ["quarterly", "2026-05-01T10:00:00Z"],
    ["yearly", "2027-01-31T10:00:00Z"],
  ])("of the policy %s is at %s", (policy, time) => {
    expect(nextRotation(policy, new Date(NOW))).toBe(time);
  });

  it("of an unknown policy is refused", () => {
    expect(() => nextRotation("often", new Date(NOW))).toThrow('rotate policy "often" not valid');
  });
});
