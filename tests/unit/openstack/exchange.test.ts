import { expect, test } from "vitest";
import { retryAfterOf } from "../../../src/openstack/exchange.ts";

const now = Date.parse("2026-11-23T12:00:00Z");

test.each([
  [{ "retry-after": "7" }, 7000],
  [{ "retry-after": "Mon, 23 Nov 2026 12:00:30 GMT" }, 30_000],
  [{ "retry-after": "Mon, 23 Nov 2026 11:00:00 GMT" }, 0],
  [{ "retry-after": "soon" }, null],
  [{}, null],
  // by the clock of who said it: an hour ahead of ours, an hour behind
  [{ "retry-after": "Mon, 23 Nov 2026 13:00:30 GMT", date: "Mon, 23 Nov 2026 13:00:00 GMT" }, 30_000],
  [{ "retry-after": "Mon, 23 Nov 2026 11:00:30 GMT", date: "Mon, 23 Nov 2026 11:00:00 GMT" }, 30_000],
])("%j asks for a pause of %s ms", (headers, pause) => {
  expect(retryAfterOf(headers, now)).toBe(pause);
});
