import { describe, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { type CloudAuth, isUnauthorized, listFlavors, openCloud } from "../../../src/openstack/index.ts";
import { fakeCloudAuth, openFakeCloud } from "../../support/openstack.ts";

const signal = AbortSignal.timeout(300_000);

describe("openCloud on a real Keystone", () => {
  test.each<[string, Partial<CloudAuth>, string]>([
    [
      "a wrong password",
      { password: "not-the-password" },
      "wrong password for user builder of domain Default, or no such user",
    ],
    [
      "an unknown user",
      { username: "nobody" },
      "wrong password for user nobody of domain Default, or no such user",
    ],
    [
      "an unknown user domain",
      { userDomainName: "Mars" },
      "wrong password for user builder of domain Mars, or no such user",
    ],
    [
      "an unknown project",
      { projectName: "mars" },
      "there is no project mars of domain Default, or user builder",
    ],
    [
      "another's project",
      { projectName: "runner-a" },
      "there is no project runner-a of domain Default, or user builder",
    ],
    [
      "an unknown project domain",
      { projectDomainName: "Mars" },
      "there is no project builder of domain Mars, or user builder",
    ],
  ])("tells of %s", async (_what, changes, text) => {
    const auth = { ...(await fakeCloudAuth("builder")), ...changes };
    const error: unknown = await openCloud("c", auth, { signal, log: silentLogger }).catch((e: unknown) => e);
    expect(isUnauthorized(error)).toBe(true);
    expect(String(error)).toContain(`cannot sign in to cloud c: ${text}`);
  });

  test("tells of a region that is not there", async () => {
    const auth = { ...(await fakeCloudAuth("builder")), region: "Mars" };
    await expect(openCloud("c", auth, { signal, log: silentLogger })).rejects.toThrow(
      "cloud c has no region Mars; its regions are: RegionOne",
    );
  });

  test("tells of an address where another service answers", async () => {
    using cloud = await openFakeCloud("builder");
    const auth = { ...(await fakeCloudAuth("builder")), authUrl: new URL(cloud.image.url).origin };
    await expect(openCloud("c", auth, { signal, log: silentLogger })).rejects.toThrow(
      `there is no Keystone v3 at ${auth.authUrl}`,
    );
  });

  test("signs in once for all services and projects stay apart", async () => {
    using builder = await openFakeCloud("builder");
    using runner = await openFakeCloud("runner-a");
    expect(builder.projectId).not.toBe(runner.projectId);
    await Promise.all([listFlavors(builder, { signal }), listFlavors(builder, { signal })]);
    expect(builder.callCount()).toBe(3);
  });
});
