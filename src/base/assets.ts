/** Files that belong to the program, read once: a builder outlives the charm's folder that it was started from. */
import { readFile } from "node:fs/promises";

const texts = new Map<string, Promise<string>>();

/** The text of the program's own file at `url` (`new URL("x.sh", import.meta.url)`); from memory after the first time. */
export async function readAsset(url: URL): Promise<string> {
  const known = texts.get(url.href) ?? readFile(url, "utf8");
  texts.set(url.href, known);
  return await known;
}
