/** What is inside the image, read from the guest and kept beside the build. */
import { readAsset } from "../../base/assets.ts";
import { join } from "node:path";
import type { Logger } from "../../base/log.ts";
import { writeAtomic } from "../../base/files.ts";
import { parseGuestContents } from "../manifest/guest-contents.ts";
import { renderSpdx, type DocumentFacts } from "../manifest/spdx.ts";
import type { Guest } from "./guest.ts";

/** Name of an image's manifest in its build's folder; `image` as `noble-x64`. */
export function manifestFile(image: string): string {
  return `manifest-${image}.spdx.json`;
}

/**
 * Reads the guest's contents and writes the manifest into `folder`. Parts that could not be read stand in it and
 * are logged. Gives the serial of the base image as the guest knows it, where nobody else did.
 */
export async function writeManifest(
  guest: Guest,
  folder: string,
  facts: Omit<DocumentFacts, "created">,
  log: Logger,
  signal: AbortSignal,
): Promise<{ readonly serial: string | null }> {
  const script = await manifestScript();
  const contents = parseGuestContents(
    await guest.runAnew({ command: "sudo bash -s", input: script, signal }),
  );
  for (const what of contents.notRead) log.warn({ what }, "not in the manifest");
  const serial = facts.serial ?? contents.serial;
  const text = renderSpdx(contents, { ...facts, serial, created: new Date() });
  await writeAtomic(join(folder, manifestFile(facts.image)), text, 0o640);
  log.info({ components: contents.components.length, kernel: contents.kernel }, "wrote the manifest");
  return { serial };
}

const manifestScript = async (): Promise<string> =>
  await readAsset(new URL("../guest/manifest.sh", import.meta.url));

/** Reads the script that looks into guests. */
export async function loadManifestScript(): Promise<void> {
  await manifestScript();
}
