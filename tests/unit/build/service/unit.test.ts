import { describe, expect, test } from "vitest";
import { LIMITS, LONGEST_LIMIT_MS } from "../../../../src/base/limits.ts";
import { pathsOf } from "../../../../src/build/paths.ts";
import { logRotation, serviceName, serviceTemplate } from "../../../../src/build/service/unit.ts";

const paths = pathsOf("/", "image-builder/0");

describe("the template", () => {
  test("lets a build run and tidy up for as long as it may, and not for ever", () => {
    const seconds = Number(/RuntimeMaxSec=(\d+)/.exec(serviceTemplate(paths))?.[1]);
    expect(seconds).toBeGreaterThan((LONGEST_LIMIT_MS + LIMITS.unwind) / 1000);
    expect(seconds).toBeLessThan((LONGEST_LIMIT_MS + LIMITS.unwind) / 1000 + 300);
    const stop = Number(/TimeoutStopSec=(\d+)/.exec(serviceTemplate(paths))?.[1]);
    expect(stop).toBeGreaterThan(LIMITS.unwind / 1000);
  });

  test("is public: name, start, restrictions", () => {
    expect(serviceName("20261124t-1")).toBe("github-runner-image-builder@20261124t-1.service");
    expect(serviceTemplate(paths)).toMatchSnapshot();
  });
});

test("the rotation is public, too", () => {
  expect(logRotation(paths)).toMatchSnapshot();
});
