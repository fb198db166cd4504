/** The Markdown pages of the repository, and what can be looked at in them. */
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { REPOSITORY } from "../charm.ts";

/** One page. */
export interface Page {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
}

/** All pages that are written for people, in the order of their paths. */
export async function readPages(): Promise<readonly Page[]> {
  const patterns = ["*.md", "docs/**/*.md", "lab/**/*.md", "terraform/**/*.md", "examples/**/*.md"];
  const paths = await Array.fromAsync(glob(patterns, { cwd: REPOSITORY }));
  return await Promise.all(paths.toSorted().map(readPage));
}

/** The page at `path` from the repository's root. */
export async function readPage(path: string): Promise<Page> {
  return { path, text: await readFile(join(REPOSITORY, path), "utf8") };
}

/** The contents of the fenced blocks whose info string is `kind`. */
export function fencesOf({ text }: Page, kind: string): readonly string[] {
  return Array.from(text.matchAll(/^```(\S*)[^\n]*\n([\s\S]*?)^```$/gm))
    .filter(([, info]) => info === kind)
    .map(([, , content = ""]) => content);
}

/** The page without its fenced and indented code. */
export function proseOf({ text }: Page): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, "").replaceAll(/^ {4}.*$/gm, "");
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf({ text }: Page): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const headings = text.replaceAll(/^```[\s\S]*?^```$/gm, "").matchAll(/^#{1,6} (.*)$/gm);
  return new Set(
    Array.from(headings, ([, heading = ""]) => {
      const slug = heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\- _]/gu, "")
        .replaceAll(" ", "-");
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

/** The rows of the table whose head begins with `head`, each as its cells; backticks around a whole cell are taken off. */
export function tableOf({ text }: Page, head: string): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const rows: string[][] = [];
  let isInside = false;
  for (const line of lines) {
    if (line.startsWith(`| ${head} |`)) isInside = true;
    else if (!line.startsWith("|")) isInside = false;
    else if (isInside && !line.startsWith("| ---")) {
      rows.push(
        line
          .slice(2, -2)
          .split(" | ")
          .map((cell) => cell.trim().replace(/^`(.*)`$/, "$1")),
      );
    }
  }
  return rows;
}
