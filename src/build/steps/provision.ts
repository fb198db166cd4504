/** What is done in the guest over SSH: follow cloud-init, run the operator's script, clean. */
import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { AppError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Communicator } from "../../ssh/communicator.ts";

const resultSchema = v.object({ v1: v.object({ errors: v.array(v.string()) }) });

async function guestScript(name: string): Promise<string> {
  return await readFile(new URL(`../guest/${name}.sh`, import.meta.url), "utf8");
}

/**
 * Waits until cloud-init has finished in the guest; `onLine` gets the recipe's progress as it comes. Throws
 * one sentence when a section failed or cloud-init reports errors.
 */
export async function awaitCloudInit(
  guest: Communicator,
  buildId: string,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const tail: string[] = [];
  const output = await guest.run({
    command: "sudo bash -s",
    input: await guestScript("follow"),
    signal,
    onLine: (line) => {
      log.info({ line }, "cloud-init");
      tail.push(line);
    },
  });
  const value = (name: string): string =>
    output
      .split("\n")
      .findLast((line) => line.startsWith(`${name}=`))
      ?.slice(name.length + 1) ?? "";
  const failed = value("failed");
  if (failed !== "") {
    const why = tail.findLast(
      (line) => /^E: |error|failed|cannot|not found/i.test(line) && !/^\w+=/.test(line),
    );
    throw new AppError(`section ${failed} failed in the guest${why === undefined ? "" : `: ${why}`}`);
  }
  const result = v.safeParse(resultSchema, JSON.parse(value("result")));
  if (!result.success) throw new AppError("cloud-init's result.json is not what it should be");
  if (result.output.v1.errors.length > 0) {
    throw new AppError(`cloud-init reports an error: ${result.output.v1.errors.join("; ")}`);
  }
  if (value("done") !== buildId)
    throw new AppError("cloud-init finished without running this build's user-data");
}

/** Runs `script` as root with `secrets` as environment variables; its output goes to the log, redacted. */
export async function runScript(
  guest: Communicator,
  script: string,
  secrets: Readonly<Record<string, string>>,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const folder = "/run/image-builder-script";
  const pairs = Object.entries(secrets).map(([name, value]) => `${name}=${value}\0`);
  const put = async (name: string, input: string): Promise<string> =>
    await guest.run({
      command: `sudo sh -c 'umask 077; mkdir -p ${folder}; cat > ${folder}/${name}'`,
      input,
      signal,
    });
  await put("script", script);
  await put("secrets", pairs.join(""));
  await guest.run({
    command: "sudo bash -s",
    input: await guestScript("run-script"),
    signal,
    onLine: (line) => log.info({ line }, "script"),
  });
}

/** Removes from the guest what must not be in the image; afterwards nobody can log in to it any more. */
export async function cleanGuest(guest: Communicator, log: Logger, signal: AbortSignal): Promise<void> {
  await guest.run({
    command: "sudo bash -s",
    input: await guestScript("clean"),
    signal,
    onLine: (line) => log.info({ line }, "clean"),
  });
}
