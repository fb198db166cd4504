/** Parts of Markdown pages that are made from the sources, between `<!-- docs WORDS -->` and `<!-- /docs -->`. */

/** A block in a page; the first group is what it names. */
const BLOCK = /(?<=<!-- docs ([^>]*) -->\n)[\s\S]*?(?=<!-- \/docs -->)/g;

/** `page` with every block's content replaced by what `fill` makes of the block's words; the rest stays as it is. */
export function fillBlocks(page: string, fill: (words: readonly string[]) => string): string {
  return page.replace(BLOCK, (_, words: string) => fill(words.split(" ")));
}

/** The words of all blocks of `page`, in their order. */
export function blocksIn(page: string): readonly (readonly string[])[] {
  return Array.from(page.matchAll(BLOCK), ([, words = ""]) => words.split(" "));
}

/** A Markdown table with a line end behind it; texts of several lines become one, bars are escaped. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cellOf).join(" | ")} |\n`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("");
}

function cellOf(text: string): string {
  return text
    .trim()
    .replaceAll(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|");
}
