/**
 * Prints what the builder's code gives that depends on files beside it or on packages: to be run from source and
 * from a bundle. usage: bundle-probe SSH-PORT PRIVATE-KEY-FILE
 */
import { readFile } from "node:fs/promises";
import { userData } from "../../src/build/cloud-init/user-data.ts";
import { cleanGuest, runScript } from "../../src/build/steps/provision.ts";
import { silentLogger } from "../../src/base/log.ts";
import { connect, type RemoteCommand } from "../../src/ssh/communicator.ts";
import { requestWith } from "./builds.ts";

const [port = "", keyFile = ""] = process.argv.slice(2);
const { signal } = new AbortController();
const inputs: unknown[] = [];
const run = async ({ input }: RemoteCommand): Promise<string> => {
  inputs.push(input);
  return "";
};
const guest = {
  run,
  runAnew: run,
  async [Symbol.asyncDispose]() {},
};
await runScript(guest, "echo hello", { TOKEN: "value" }, silentLogger, signal);
await cleanGuest(guest, silentLogger, signal);
const privateKey = await readFile(keyFile, "utf8");
const target = { host: "127.0.0.1", port: Number(port), username: "root", privateKey, isHostKey: () => true };
await using machine = await connect(target, signal);
const answer = await machine.run({ command: "hello", signal });
const { recipe } = requestWith();
const text = await userData({ base: "noble", arch: "x64" }, recipe, "2.330.0", "build-1");
console.log(JSON.stringify({ text, inputs, answer }));
