/** Deletions that somebody between us and the service answers falsely, on the real control plane. */
import { expect, test } from "vitest";
import { startFaultProxy } from "../../../lab/faults/proxy.ts";
import { ruleOf } from "../../../lab/faults/rules.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { createKeyPair, deleteKeyPair, listKeyPairs, openCloud } from "../../../src/openstack/index.ts";
import { generateKeyPair } from "../../../src/ssh/keys.ts";
import { fakeCloudAuth } from "../../support/openstack.ts";

const options = { signal: AbortSignal.timeout(60_000) };
const DELETION = { service: "compute", method: "DELETE", path: "/os-keypairs/" } as const;

test.for([
  ["a 404 that is not true", { kind: "status", status: 404 }],
  ["a web page with 200", { kind: "html", status: 200 }],
] as const)("%s does not pass for a deletion", async ([, fault]) => {
  const auth = await fakeCloudAuth("builder");
  await using proxy = await startFaultProxy(auth.authUrl);
  const through = { ...auth, authUrl: proxy.authUrl };
  const cloud = await openCloud("builder", through, { ...options, log: silentLogger });
  const name = `cloudtest-delete-${fault.kind}-${process.pid}`;
  try {
    const { publicKey } = await generateKeyPair(name);
    await createKeyPair(cloud, { name, publicKey }, options);
    proxy.setRules([ruleOf(fault, DELETION)]);
    await deleteKeyPair(cloud, name, options);
    expect(proxy.struck()).toBe(1);
    const found = await listKeyPairs(cloud, options);
    expect(found.filter((each) => each.name === name)).toEqual([]);
  } finally {
    cloud.close();
  }
});
