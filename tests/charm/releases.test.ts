import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "../../src/base/deadline.ts";
import { readOptional } from "../../src/base/files.ts";
import { NOBLE } from "../support/charm-builds.ts";
import { cloudOf, credentialsOf, relate } from "../support/charm-requirers.ts";
import { deployBuilder, type Deployed } from "../support/charm.ts";
import { startHttpServer, type HttpServer } from "../support/http-server.ts";

/** One deployment goes through all tests of this file, in their order. */
describe("the option rebuild-on-release", () => {
  let charm: Deployed;
  let mirror: HttpServer;
  let newest = "2.333.1";

  beforeAll(async () => {
    mirror = await startHttpServer({
      "/runner/latest": (_request, response) =>
        response.writeHead(302, { location: `/runner/tag/v${newest}` }).end(),
      "/images/noble/current/SHA256SUMS": `${"ab".repeat(32)} *noble-server-cloudimg-amd64.img\n`,
    });
    charm = await deployBuilder({
      config: { "base-image-mirror": `${mirror.url}/images`, "runner-mirror": `${mirror.url}/runner` },
    });
    await charm.builders.end((await charm.builds()).at(-1), { outcome: "done" });
    const credentials = credentialsOf(charm, "runner-a");
    await relate(charm, "runner-a", credentials);
    const build = (await charm.builds()).at(-1);
    const found = [
      { image: "", what: "runner", value: "2.333.1" },
      { image: "noble-x64", what: "base image", value: "ab".repeat(32) },
    ].map((what) => `${JSON.stringify({ event: "found", at: new Date().toISOString(), ...what })}\n`);
    await appendFile(join(build?.folder ?? "", "journal.jsonl"), found.join(""));
    await charm.builders.end(build, {
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [cloudOf(credentials)]: "image-1" } }],
    });
    await charm.wake();
  });
  afterAll(async () => {
    await charm[Symbol.asyncDispose]();
    await mirror[Symbol.asyncDispose]();
  });

  const said = async (): Promise<string> =>
    await waitFor(
      AbortSignal.timeout(20_000),
      50,
      async () => (await readOptional(join(charm.paths.state, "check-releases.log"))) || undefined,
    );

  it("is off: cron asks for nothing, and who asks by hand gets nothing", async () => {
    expect(await readFile(charm.paths.cronFile, "utf8")).not.toContain("check-releases");
    const asked = mirror.paths.length;
    expect(await charm.fire("check-releases")).toBe(0);
    expect(await readOptional(join(charm.paths.state, "check-releases.log"))).toBeUndefined();
    expect(mirror.paths).toHaveLength(asked);
  });

  it("has cron look every hour, half an hour off the schedule, and is no reason for a build by itself", async () => {
    const builds = (await charm.builds()).length;
    await charm.configure({ "rebuild-on-release": true });
    expect(await readFile(charm.paths.cronFile, "utf8")).toMatch(
      /^\d+ \* \* \* \* root flock --nonblock \S+cron\.lock\.releases \S+juju-exec image-builder\/0 "JUJU_DISPATCH_PATH=check-releases \.\/dispatch"$/m,
    );
    expect(await charm.builds()).toHaveLength(builds);
  });

  it("starts nothing while nothing is newer", async () => {
    const builds = (await charm.builds()).length;
    expect(await charm.fire("check-releases")).toBe(0);
    expect(await said()).toBe("nothing is newer\n");
    expect(await charm.builds()).toHaveLength(builds);
  });

  it("starts a build when a runner comes out, and says why", async () => {
    const builds = (await charm.builds()).length;
    newest = "2.334.0";
    expect(await charm.fire("check-releases")).toBe(0);
    await waitFor(AbortSignal.timeout(20_000), 50, async () =>
      (await charm.builds()).length > builds ? true : undefined,
    );
    charm.builders.hold();
    expect(await said()).toBe("the runner is 2.334.0 now, not 2.333.1\n");
    expect((await charm.builds()).at(-1)?.request.reason).toBe("release");
  });

  it("looks for nothing while a build is under way", async () => {
    const asked = mirror.paths.length;
    const builds = (await charm.builds()).length;
    expect(await charm.fire("check-releases")).toBe(0);
    expect(await charm.builds()).toHaveLength(builds);
    expect(mirror.paths).toHaveLength(asked);
  });
});
