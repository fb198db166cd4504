/** `npm run docs`: writes the parts of pages that are made from config.yaml, actions.yaml and the command line. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { documentedPages } from "./docs/pages.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));
for (const { path, text, wanted } of await documentedPages(repository)) {
  if (text === wanted) continue;
  await writeFile(join(repository, path), wanted);
  console.log(`wrote ${path}`);
}
