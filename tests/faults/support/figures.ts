/** Figures of a sweep, written into docs/reference/reliability.md by the run that measured them. */
import { readFile, writeFile } from "node:fs/promises";

const PAGE = new URL("../../../docs/reference/reliability.md", import.meta.url);

/** Puts `lines` between the page's marks `<!-- name -->` and `<!-- /name -->`. Throws when there are none. */
export async function writeFigures(name: string, lines: readonly string[]): Promise<void> {
  const page = await readFile(PAGE, "utf8");
  const marks = new RegExp(`(<!-- ${name} -->\n)[^]*?(\n<!-- /${name} -->)`, "u");
  if (!marks.test(page)) throw new Error(`the page has no marks for ${name}`);
  await writeFile(
    PAGE,
    page.replace(marks, (_, before: string, after: string) => before + lines.join("\n") + after),
  );
}
