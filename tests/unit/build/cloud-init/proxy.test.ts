import { stat } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { redact } from "../../../../src/base/redact.ts";
import {
  aproxyUpstream,
  directNetworks,
  guestSecretsOf,
  publicVariables,
} from "../../../../src/build/cloud-init/proxy.ts";
import { userData } from "../../../../src/build/cloud-init/user-data.ts";
import { deliverProxy } from "../../../../src/build/steps/provision.ts";
import type { Proxy, Recipe } from "../../../../src/build/types.ts";
import { requestWith } from "../../../support/builds.ts";
import { openLocalGuest } from "../../../support/local-guest.ts";
import { bash } from "../../../support/shell.ts";

const spec = { base: "noble", arch: "x64" } as const;
const { signal } = new AbortController();
const recipeWith = (proxy: Partial<Proxy>): Recipe => ({
  ...requestWith().recipe,
  proxy: { http: "", https: "", noProxy: "", ...proxy },
});
const PASSWORD = "it's%20a-Pa55word";
const secret = recipeWith({
  http: `http://me:${PASSWORD}@proxy.example:3128`,
  https: "http://plain.example:3128",
  noProxy: "10.1.0.0/16",
});

describe("a proxy with credentials", () => {
  test("is not in the user-data, which waits for it before its first section", async () => {
    const text = await userData(spec, secret, "2.330.0", "build-1");
    expect(text).not.toContain("Pa55word");
    expect(text).not.toContain("proxy.example");
    expect(text).toMatch(/\nawait_proxy\nsection hostname\n/);
    expect(publicVariables(secret)).toEqual({ no_proxy: "10.1.0.0/16" });
  });

  test("arrives whole, readable by nobody else, and is in no log", async () => {
    await using guest = await openLocalGuest();
    await deliverProxy(guest, secret, signal);
    const file = await guest.at("/run/image-builder/proxy.env");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const addresses = await bash(`. ${file}; bash -c 'printf "%s\\n%s" "$http_proxy" "$https_proxy"'`);
    expect(addresses).toBe(`${secret.proxy.http}\n${secret.proxy.https}`);
    expect(redact(`cannot reach http://me:${PASSWORD}@p, it's a-Pa55word`)).not.toContain("Pa55word");
  });

  test("is not what the image's aproxy is told", () => {
    expect(aproxyUpstream(secret)).toBe(null);
  });
});

describe("a proxy without credentials", () => {
  test("is in the user-data, and nothing is waited for or brought", async () => {
    const recipe = recipeWith({ http: "http://proxy.example:3128" });
    expect(await userData(spec, recipe, "2.330.0", "build-1")).not.toMatch(/^await_proxy$/m);
    expect(guestSecretsOf(recipe)).toBe(null);
    await using guest = await openLocalGuest();
    await deliverProxy(guest, recipe, signal);
    await expect(stat(await guest.at("/run/image-builder/proxy.env"))).rejects.toThrow("ENOENT");
  });

  test.each([
    ["http://proxy.example:3128", "proxy.example:3128"],
    ["http://proxy.example/", "proxy.example:80"],
    ["10.0.0.1:8080", "10.0.0.1:8080"],
    ["socks://x y", null],
  ])("%s is told to aproxy as %s", (http, upstream) => {
    expect(aproxyUpstream(recipeWith({ http }))).toBe(upstream);
  });

  test("is told to aproxy when it is only for https", () => {
    expect(aproxyUpstream(recipeWith({ https: "http://s.example:1" }))).toBe("s.example:1");
  });
});

describe("directNetworks", () => {
  const PRIVATE = ["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"];

  test("holds private networks, no_proxy's IPv4 networks and the proxy itself", () => {
    const noProxy = "10.1.2.3, 192.0.2.0/24,localhost,.example,10.0.0.0/8,192.0.2.0/33,::1,1.2.3.4/8/8,";
    expect(directNetworks(recipeWith({ http: "http://198.51.100.7:80", noProxy }))).toEqual([
      ...PRIVATE,
      "10.1.2.3",
      "192.0.2.0/24",
      "198.51.100.7",
    ]);
  });

  test("never lets half the world by", () => {
    expect(directNetworks(recipeWith({}))).toEqual(PRIVATE);
  });
});
