/** What is done in the guest over SSH: follow cloud-init, run the operator's script, clean. */
import { readAsset } from "../../base/assets.ts";
import * as v from "valibot";
import { AppError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { registerSecret } from "../../base/redact.ts";
import { guestSecretsOf } from "../cloud-init/proxy.ts";
import { tellingLine } from "../cloud-init/reason.ts";
import { proxyPasswords } from "../proxies.ts";
import type { Recipe } from "../types.ts";
import type { Guest } from "./guest.ts";
import { boundedOutput } from "./guest-output.ts";

const resultSchema = v.object({ v1: v.object({ errors: v.array(v.string()) }) });

async function guestScript(name: string): Promise<string> {
  return await readAsset(new URL(`../guest/${name}.sh`, import.meta.url));
}

/** Reads what is run in guests. */
export async function loadGuestScripts(): Promise<void> {
  await Promise.all(["follow", "run-script", "clean"].map(guestScript));
}

/**
 * Brings the guest what its user-data must not hold: a proxy with credentials, for which its first section waits.
 * Does nothing when there is none.
 */
export async function deliverProxy(guest: Guest, recipe: Recipe, signal: AbortSignal): Promise<void> {
  const text = guestSecretsOf(recipe);
  if (text === null) return;
  for (const password of proxyPasswords(recipe.proxy)) registerSecret(password);
  const file = "/run/image-builder/proxy.env";
  await guest.runAnew({
    // in one step, so that the guest never reads half of it
    command: `sudo sh -c 'umask 077; mkdir -p /run/image-builder; cat > ${file}.part; mv ${file}.part ${file}'`,
    input: text,
    signal,
  });
}

/** Lines of a section's output that are kept to find the reason of a failure in. */
const TAIL_LINES = 400;
/** The frame's line at the beginning of a section. */
const SECTION = /^== section (\S+)$/;

/**
 * Waits until cloud-init has finished in the guest; the recipe's output goes to the log line by line, each with
 * its section. After a connection that broke, its end comes once more. Throws one sentence when a section failed ("section yq failed: ...") or cloud-init reports errors.
 */
export async function awaitCloudInit(
  guest: Guest,
  buildId: string,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  let section = "";
  let tail: string[] = [];
  const result: Record<"failed" | "done" | "result", string> = { failed: "", done: "", result: "" };
  using output = boundedOutput(
    (line) => log.info({ section, line }, "cloud-init"),
    (sentence) => log.warn(sentence),
  );
  await guest.runAnew({
    command: "sudo bash -s",
    input: await guestScript("follow"),
    signal,
    onLine: (line) => {
      const [, begun] = SECTION.exec(line) ?? [];
      if (begun !== undefined) {
        section = begun;
        tail = [];
      }
      // the script's last lines; a section that prints the like is overruled by them
      const [, name, value] = /^(failed|done|result)=(.*)$/.exec(line) ?? [];
      if (name === "failed" || name === "done" || name === "result") result[name] = value ?? "";
      else tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      if (line !== "") output.take(line);
    },
  });
  if (result.failed !== "") {
    const why = tellingLine(tail) ?? "it printed nothing; see the server's console log";
    throw new AppError(`section ${result.failed} failed: ${why}`);
  }
  const ended = v.safeParse(resultSchema, JSON.parse(result.result));
  if (!ended.success) throw new AppError("cloud-init's result.json is not what it should be");
  if (ended.output.v1.errors.length > 0) {
    throw new AppError(`cloud-init reports an error: ${ended.output.v1.errors.join("; ")}`);
  }
  if (result.done !== buildId)
    throw new AppError("cloud-init finished without running this build's user-data");
}

/** Runs `script` as root with `secrets` as environment variables; its output goes to the log, redacted. */
export async function runScript(
  guest: Guest,
  script: string,
  secrets: Readonly<Record<string, string>>,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const folder = "/run/image-builder-script";
  const pairs = Object.entries(secrets).map(([name, value]) => `${name}=${value}\0`);
  const put = async (name: string, input: string): Promise<string> =>
    await guest.runAnew({
      command: `sudo sh -c 'umask 077; mkdir -p ${folder}; cat > ${folder}/${name}'`,
      input,
      signal,
    });
  await put("script", script);
  await put("secrets", pairs.join(""));
  using output = boundedOutput(
    (line) => log.info({ line }, "script"),
    (sentence) => log.warn(sentence),
  );
  await guest.run({
    command: "sudo bash -s",
    input: await guestScript("run-script"),
    signal,
    onLine: output.take,
  });
}

/** Removes from the guest what must not be in the image; afterwards nobody can log in to it any more. */
export async function cleanGuest(guest: Guest, log: Logger, signal: AbortSignal): Promise<void> {
  using output = boundedOutput(
    (line) => log.info({ line }, "clean"),
    (sentence) => log.warn(sentence),
  );
  await guest.run({
    command: "sudo bash -s",
    input: await guestScript("clean"),
    signal,
    onLine: output.take,
  });
}
