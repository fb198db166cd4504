/** Proof that a published image is what it should be: boots a server from it, logs in and looks. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { waitFor, withDeadline, minutes } from "../../src/base/deadline.ts";
import { silentLogger } from "../../src/base/log.ts";
import { ResourceScope } from "../../src/base/scope.ts";
import { shellQuote } from "../../src/build/cloud-init/user-data.ts";
import { openCloud, type CloudAuth } from "../../src/openstack/index.ts";
import { connect, SshError, type Communicator } from "../../src/ssh/communicator.ts";
import { bootServer } from "./boot-server.ts";

/** What the image is held against. */
export interface Expectation {
  readonly auth: CloudAuth;
  readonly imageId: string;
  readonly packages: readonly string[];
  /** The option `snaps`. */
  readonly snaps: string;
  readonly secretSha256: string;
  readonly runnerVersion: string;
  /** Texts that must be nowhere on the disk. */
  readonly forbidden: readonly string[];
}

/** One thing looked at; `problem` is null when it holds. */
export interface Check {
  readonly name: string;
  readonly problem: string | null;
}

/** Boots a server in the requirer's project, looks at everything, deletes what it made. */
export async function proveImage(expected: Expectation, signal: AbortSignal): Promise<readonly Check[]> {
  return await withDeadline(signal, minutes(10), "proof of the image", async (limit) =>
    prove(expected, limit),
  );
}

async function prove(expected: Expectation, signal: AbortSignal): Promise<readonly Check[]> {
  const cloud = await openCloud("proof", expected.auth, { signal, log: silentLogger });
  using _closing = { [Symbol.dispose]: () => cloud.close() };
  await using scope = new ResourceScope(silentLogger);
  const { id, host, privateKey } = await bootServer(
    cloud,
    scope,
    {
      name: `image-proof-${randomBytes(3).toString("hex")}`,
      imageId: expected.imageId,
      flavor: "",
      ports: [22],
      userData: "#!/bin/sh\ntouch /root/first-boot\n",
    },
    signal,
  );
  const target = { host, port: 22, username: "ubuntu", privateKey, isHostKey: () => true };
  await using guest = await waitFor(signal, 500, async (): Promise<Communicator | undefined> => {
    try {
      return await connect(target, signal);
    } catch (error) {
      if (!(error instanceof SshError)) throw error;
      return undefined;
    }
  });
  await guest.run({ command: "cloud-init status --wait", signal });
  const variables = {
    SERVER_ID: id,
    PACKAGES: expected.packages.join(" "),
    SNAPS: expected.snaps.replaceAll(",", " "),
    SECRET_SHA256: expected.secretSha256,
    RUNNER_VERSION: expected.runnerVersion,
  };
  const script = await readFile(new URL("check-image.sh", import.meta.url), "utf8");
  const assignments = Object.entries(variables).map(([key, value]) => `${key}=${shellQuote(value)}`);
  const output = await guest.run({
    command: `sudo env ${assignments.join(" ")} bash -c ${shellQuote(script)}`,
    input: `${expected.forbidden.join("\n")}\n`,
    signal,
  });
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, verdict, text = line, problem] = /^(ok|FAIL) ([^:]+)(?:: (.*))?$/.exec(line) ?? [];
      return { name: text, problem: verdict === "ok" ? null : (problem ?? line) };
    });
}
