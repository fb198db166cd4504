import { expect, test } from "vitest";
import { checkServer } from "../../../../src/build/steps/check-server.ts";
import { type Answer, json, openStub, startStub } from "../../../support/openstack-stub.ts";

const signal = new AbortController().signal;
const server = (status: string, more: object = {}): Answer =>
  json(200, { server: { id: "s1", name: "builder", status, created: "2026-11-23T20:00:00Z", ...more } });

test.each<[string, Answer, string]>([
  ["there is none", json(404, {}), "server s1 is gone: somebody else deleted it"],
  ["Nova still shows it as deleted", server("DELETED"), "server s1 is gone: somebody else deleted it"],
  ["it waits for its reclaim", server("SOFT_DELETED"), "server s1 is gone: somebody else deleted it"],
  ["it failed", server("ERROR", { fault: { message: "no disk" } }), "server s1 is in ERROR (no disk)"],
  ["it failed silently", server("ERROR"), "server s1 is in ERROR (Nova gives no reason)"],
])("says why the guest is silent when %s", async (_case, answer, says) => {
  await using stub = await startStub();
  using cloud = await openStub(stub);
  stub.answer("GET", "/compute/servers/s1", answer);
  await expect(checkServer(cloud, "s1", signal)).rejects.toThrow(says);
});

test("has nothing to say of a server that runs", async () => {
  await using stub = await startStub();
  using cloud = await openStub(stub);
  stub.answer("GET", "/compute/servers/s1", server("ACTIVE"));
  await expect(checkServer(cloud, "s1", signal)).resolves.toBeUndefined();
});
