import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/base/errors.ts";
import { type CloudAuth, cloudKey } from "../../../src/openstack/index.ts";
import { normaliseAuthUrl } from "../../../src/openstack/auth.ts";

const auth: CloudAuth = {
  authUrl: "https://keystone.example.com/v3",
  projectName: "My_Project",
  projectDomainName: "Default",
  username: "u",
  userDomainName: "Default",
  password: "secret-1",
  region: null,
  caFile: null,
};

describe("cloudKey", () => {
  test("is the project and eight hexadecimal digits", () => {
    expect(cloudKey(auth)).toMatch(/^my-project-[0-9a-f]{8}$/);
  });

  test.each([
    "https://KEYSTONE.example.com/v3",
    "https://keystone.example.com:443/v3/",
    "https://keystone.example.com",
    "https://keystone.example.com/v3//",
  ])("takes %s for the same cloud", (authUrl) => {
    expect(cloudKey({ ...auth, authUrl })).toBe(cloudKey(auth));
  });

  test.each([
    { authUrl: "http://keystone.example.com/v3" },
    { authUrl: "https://keystone.example.com:5000/v3" },
    { authUrl: "https://keystone.example.com/identity/v3" },
    { projectName: "my-project" },
    { projectDomainName: "Other" },
    { username: "v" },
    { userDomainName: "Other" },
  ])("differs for %o", (change) => {
    expect(cloudKey({ ...auth, ...change })).not.toBe(cloudKey(auth));
  });

  test("stays the same when password, region or CA change", () => {
    const rotated = { ...auth, password: "secret-2", region: "RegionTwo", caFile: "/ca.pem" };
    expect(cloudKey(rotated)).toBe(cloudKey(auth));
  });

  test("does not confuse a user with the end of a project", () => {
    const one = cloudKey({ ...auth, projectName: "a_b", username: "c" });
    expect(cloudKey({ ...auth, projectName: "a", username: "b_c" }).slice(-8)).not.toBe(one.slice(-8));
  });

  test.each(["", "ÄÖ", "--", "x".repeat(300), "a,b; $(reboot)"])(
    "has only [a-z0-9-] for project %j",
    (name) => {
      const key = cloudKey({ ...auth, projectName: name });
      expect(key).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(key.length).toBeLessThan(60);
    },
  );
});

test("normaliseAuthUrl refuses what is no web address", () => {
  expect(() => normaliseAuthUrl("keystone:5000")).toThrow(ConfigError);
  expect(() => normaliseAuthUrl("not a url")).toThrow(
    'the auth URL "not a url" is not an http or https address',
  );
});
