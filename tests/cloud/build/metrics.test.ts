/** Metrics served by a real systemd: what the unit tests' stand-in of systemctl only notes. */
import { once } from "node:events";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { samplesOf } from "../../../src/build/metrics/collect.ts";
import { exposition } from "../../../src/build/metrics/exposition.ts";
import { NOW, OBSERVED } from "../../support/observed.ts";
import { startSystemd, type Systemd } from "../../support/systemd.ts";

const source = (path: string): string =>
  JSON.stringify(fileURLToPath(new URL(`../../../src/build/${path}`, import.meta.url)));
const UNIT = "builder/0";
const SOCKET = "github-runner-image-builder-metrics-builder-0.socket";

/** Runs `code`, as a hook would, in a process under the systemd's root; gives what it wrote. */
async function hook(systemd: Systemd, code: string): Promise<string> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "metrics-"));
  const script = join(folder.path, "hook.mjs");
  await writeFile(
    script,
    `const { choosePort, listen, stopListening } = await import(${source("metrics/listen.ts")});
     const { writeMetrics } = await import(${source("metrics/write-metrics.ts")});
     const { pathsOf } = await import(${source("paths.ts")});
     const paths = pathsOf("/", "${UNIT}");
     const path = "/usr/sbin:/usr/bin:/sbin:/bin";
     ${code}`,
  );
  return await systemd.run(process.execPath, script);
}

const show = async (systemd: Systemd, property: string): Promise<string> =>
  await systemd.run("/usr/bin/systemctl", "show", "--value", "--property", property, SOCKET);

test("systemd answers on the loopback address with the metrics, as nobody who could read more", async () => {
  await using systemd = await startSystemd();
  // the network is this machine's: a port that is taken here is taken there
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const first = (taken.address() as AddressInfo).port;
  const chosen = await hook(
    systemd,
    `const port = await choosePort(paths, ${first}, path);
     await writeMetrics(paths, "${UNIT}", ${JSON.stringify(OBSERVED)}, new Date("${NOW.toISOString()}"));
     await listen(paths, "${UNIT}", port, path);
     console.log(port, await choosePort(paths, ${first}, path));`,
  );
  taken.close();
  const [port, again] = chosen.split(" ").map(Number);
  expect(port).toBeGreaterThan(first);
  expect(again).toBe(port);
  expect(await show(systemd, "ActiveState")).toBe("active");
  // after a reboot, too
  expect(await show(systemd, "UnitFileState")).toBe("enabled");

  const url = `http://127.0.0.1:${port}/metrics`;
  const text = exposition(samplesOf(OBSERVED, NOW), { unit: UNIT });
  const replies = await Promise.all([1, 2, 3].map(async () => await fetch(url)));
  for (const reply of replies) {
    expect(reply.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await reply.text()).toBe(text);
  }

  // the script is of the charm; what it could read and write shows whom it runs as
  const probe =
    "id -u; cat /var/lib/github-runner-image-builder/builder-0/* /root/* 2>&1; touch /var/tmp/x 2>&1; grep -c : /proc/net/dev";
  await systemd.run(
    "/bin/sh",
    "-c",
    `mkdir -p -m 700 /var/lib/github-runner-image-builder/builder-0; echo secret > /var/lib/github-runner-image-builder/builder-0/clouds.yaml
     printf '%s\\n' 'printf "HTTP/1.0 200 OK\\r\\n\\r\\n"' '${probe}' > /var/lib/github-runner-image-builder/serve-metrics.sh`,
  );
  const [user = "", ...rest] = (await (await fetch(url)).text()).trim().split("\n");
  expect(Number(user)).toBeGreaterThan(60_000);
  expect(rest.join("\n")).toContain("Permission denied");
  expect(rest.join("\n")).not.toContain("secret");
  // the loopback device alone, of a network of its own
  expect(rest.at(-1)).toBe("1");

  await hook(systemd, "await stopListening(paths, path);");
  await expect(fetch(url)).rejects.toThrow("fetch failed");
  expect(await show(systemd, "LoadState")).toBe("not-found");
});
