/** What the lab's services say of processes of theirs that died: a test that fails beside one tells of the lab, not of the product. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../src/base/files.ts";

/**
 * An uncaught exception as oslo.log writes it (`2026-11-26 05:16:00.276 16132 CRITICAL neutron [-] Unhandled error: ...`),
 * and what oslo.service says of a worker that is gone, for some die without a word.
 */
const CRASH = /^\S+ \S+ \d+ (?:CRITICAL |INFO oslo_service\.service .*Child \d+ (?:exited|killed)).*$/gm;

/**
 * The lines of the logs in `folder` that tell of a process of a service that died, each with the log's name before it;
 * the orderly stop of a service writes such lines, too. None where the folder is missing.
 */
export async function readCrashes(folder: string): Promise<readonly string[]> {
  const names = await namesIn(folder);
  const found = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), "utf8");
      return [...text.matchAll(CRASH)].map(([line]) => `${name}: ${line}`);
    }),
  );
  return found.flat();
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith(".log")).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
