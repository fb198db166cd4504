import { describe, expect, test } from "vitest";
import { DeadlineError } from "../../../src/base/errors.ts";
import {
  isConflict,
  isForbidden,
  isNotFound,
  isQuotaExceeded,
  isUnauthorized,
  OpenStackError,
} from "../../../src/openstack/index.ts";
import { errorText, isOutcomeUnknown } from "../../../src/openstack/errors.ts";

const failure = (status: number | null, body: unknown = null, code: string | null = null): OpenStackError =>
  new OpenStackError(`cannot x: ${errorText(body)}`, {
    service: "compute",
    method: "POST",
    url: "http://x/",
    status,
    body,
    requestId: null,
    retryAfterMs: null,
    code,
  });

describe("errorText", () => {
  test.each([
    [
      "Nova",
      { itemNotFound: { code: 404, message: "Instance x could not be found." } },
      "Instance x could not be found",
    ],
    [
      "Neutron",
      { NeutronError: { type: "IpAddressGenerationFailure", message: "No more IP addresses.", detail: "" } },
      "No more IP addresses",
    ],
    ["old Neutron", { NeutronError: "The resource is in use" }, "The resource is in use"],
    [
      "Keystone",
      { error: { code: 401, title: "Unauthorized", message: "It requires authentication." } },
      "It requires authentication",
    ],
    [
      "Glance",
      { message: "No image found<br /><br />\n\n\n", code: "404 Not Found", title: "Not Found" },
      "No image found",
    ],
    [
      "Glance's page",
      "<html>\n <head>\n  <title>409 Conflict</title>\n </head>\n <body>\n  <h1>409 Conflict</h1>\n  There was a conflict<br /><br />\n</body></html>",
      "409 Conflict There was a conflict",
    ],
    [
      "HAProxy",
      "<html><body><h1>503 Service Unavailable</h1>\nNo server is available.\n</body></html>",
      "503 Service Unavailable No server is available",
    ],
    ["nothing", null, ""],
    ["a list", [1], ""],
    ["an empty object", {}, ""],
  ])("finds the sentence of %s", (_who, body, text) => {
    expect(errorText(body)).toBe(text);
  });

  test("is short whatever comes", () => {
    expect(errorText("x ".repeat(100_000)).length).toBeLessThanOrEqual(500);
  });
});

const novaQuota = {
  forbidden: {
    code: 403,
    message: "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances",
  },
};
const novaPolicy = {
  forbidden: { code: 403, message: "Policy doesn't allow os_compute_api:servers:create to be performed." },
};
const neutronQuota = {
  NeutronError: {
    type: "OverQuota",
    message: "Quota exceeded for resources: ['security_group'].",
    detail: "",
  },
};

describe("questions about a failure", () => {
  test.each([
    ["Nova quota", failure(403, novaQuota), [isQuotaExceeded]],
    ["Nova policy", failure(403, novaPolicy), [isForbidden]],
    ["Neutron quota", failure(409, neutronQuota), [isQuotaExceeded]],
    [
      "conflict",
      failure(409, { conflictingRequest: { message: "Cannot 'stop' instance", code: 409 } }),
      [isConflict],
    ],
    [
      "Glance quota",
      failure(413, { message: "Image storage quota exceeded", code: "413", title: "" }),
      [isQuotaExceeded],
    ],
    ["not found", failure(404), [isNotFound]],
    ["unauthorized", failure(401), [isUnauthorized]],
    ["no reply", failure(null, null, "ECONNRESET"), []],
    ["another error", new Error("404"), []],
  ])("%s", (_name, error, yes) => {
    const all = [isNotFound, isConflict, isForbidden, isUnauthorized, isQuotaExceeded];
    expect(all.filter((question) => question(error))).toEqual(yes);
  });

  test("only what may pass by itself is transient", () => {
    expect([429, 500, 502, 503, 504].map((status) => failure(status).isTransient)).toEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
    expect([400, 401, 404, 409, 501].map((status) => failure(status).isTransient)).not.toContain(true);
    expect(failure(null, null, "ECONNRESET").isTransient).toBe(true);
    expect(failure(null, null, "DEPTH_ZERO_SELF_SIGNED_CERT").isTransient).toBe(false);
    expect(failure(null).isTransient).toBe(false);
  });

  test("a request may have taken effect unless it was refused or never sent", () => {
    const unknown = [
      failure(500),
      failure(504),
      failure(null, null, "ECONNRESET"),
      new DeadlineError("x", 1),
    ];
    const known = [failure(400), failure(429), failure(null, null, "ECONNREFUSED"), new Error("x")];
    expect(unknown.filter((error) => !isOutcomeUnknown(error))).toEqual([]);
    expect(known.filter((error) => isOutcomeUnknown(error))).toEqual([]);
  });
});
