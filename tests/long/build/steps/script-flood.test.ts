/** A script that floods: through a real SSH connection, 64 MiB, with FAULTS=all a gibibyte. */
import { expect, test } from "vitest";
import { createLogger } from "../../../../src/base/log.ts";
import { runScript } from "../../../../src/build/steps/provision.ts";
import { connect } from "../../../../src/ssh/communicator.ts";
import { generateKeyPair } from "../../../../src/ssh/keys.ts";
import { startSshServer } from "../../../support/ssh-server.ts";

const MIB = 1024 * 1024;
const pieces = process.env["FAULTS"] === "all" ? 1024 : 64;
const { signal } = new AbortController();

test(
  "is read to its end, but the log takes 16 MiB of it and the memory next to none",
  { timeout: 300_000 },
  async () => {
    const keys = await generateKeyPair("flood");
    const piece = Buffer.from(`${"x".repeat(127)}\n`.repeat(MIB / 128));
    let isScript = false;
    await using server = await startSshServer({
      authorizedKey: keys.publicKey,
      onCommand: (command) => {
        isScript = command === "sudo bash -s";
        return isScript
          ? { stdout: Array.from({ length: pieces }, () => piece), exitCode: 5 }
          : { exitCode: 0 };
      },
    });
    let logged = 0;
    let highest = 0;
    const log = createLogger(
      {
        write(line) {
          logged += line.length;
          highest = Math.max(highest, process.memoryUsage.rss());
        },
      },
      "info",
    );
    const target = { host: "127.0.0.1", port: server.port, username: "ubuntu", privateKey: keys.privateKey };
    await using communicator = await connect({ ...target, isHostKey: () => true }, signal);
    const guest = { ...communicator, run: communicator.run, runAnew: communicator.run };
    const before = process.memoryUsage.rss();
    await expect(runScript(guest, "yes", {}, log, signal)).rejects.toThrow("the command exited with 5: xxx");
    expect(isScript).toBe(true);
    // each line in its JSON is twice as long
    expect(logged).toBeGreaterThan(16 * MIB);
    expect(logged).toBeLessThan(48 * MIB);
    expect(highest - before).toBeLessThan(150 * MIB);
  },
);
