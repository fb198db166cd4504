import { test } from "vitest";
import type { Cloud, Service } from "../../../src/openstack/index.ts";
import { useWorkshops } from "../../support/build.ts";

const openWorkshop = useWorkshops();
const PASSWORD = "proxy-S3cret%2Fword";
const http = `http://site:${PASSWORD}@proxy.example:3128`;

/** `cloud`, which gives the bodies of all POST requests to Nova to `see`. */
function watchServers(cloud: Cloud, see: (body: string) => void): Cloud {
  const open: Service["open"] = (call) => {
    if (call.method === "POST") see(JSON.stringify(call));
    return cloud.compute.open(call);
  };
  return { ...cloud, compute: { ...cloud.compute, open } };
}

test("a proxy's password goes to the guest and to the operator's script by SSH alone", async ({ expect }) => {
  await using workshop = await openWorkshop();
  await workshop.writeClouds(["builder", "runner-a"]);
  workshop.mirror.put("/script.sh", { text: "true\n" });
  const bodies: string[] = [];
  let seen: Readonly<Record<string, string>> = {};
  const { build, ran, journal, log } = await workshop.run({
    recipe: { proxy: { http, https: "", noProxy: "10.0.0.0/8" } },
    request: { script: { url: `${workshop.mirror.url}/script.sh`, sha256: "" } },
    secrets: { TOKEN: "script-token", no_proxy: "the operator's own" },
    onCloud: (cloud) => watchServers(cloud, (body) => bodies.push(body)),
    guest: {
      onScript: (_script, variables) => {
        seen = variables;
        return { stdout: [`proxy ${variables["http_proxy"]}\n`], exitCode: 0 };
      },
    },
  });
  expect(build.errors).toEqual([]);
  expect(ran).toEqual([
    "put proxy",
    "follow",
    "put script",
    "put secrets",
    "run-script",
    "manifest",
    "clean",
  ]);
  expect(seen).toEqual({ http_proxy: http, TOKEN: "script-token", no_proxy: "the operator's own" });
  const userData = /"user_data":\s*"([^"]+)"/.exec(bodies.join("\n").replaceAll("\\", ""))?.[1] ?? "";
  expect(Buffer.from(userData, "base64").toString()).toContain("await_proxy\n");
  for (const text of [bodies.join("\n"), Buffer.from(userData, "base64").toString(), journal, log]) {
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toContain("proxy-S3cret/word");
  }
});
