/** Which pages have parts that are made from the sources, and how those are made. */
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fillBlocks } from "./blocks.ts";
import { commandHelp, documentedProgram } from "./commands.ts";
import { actionText, optionTable, readActions, readOptions } from "./declarations.ts";

/** A page, as it is and as the sources want it. */
export interface DocumentedPage {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
  readonly wanted: string;
}

/** All pages of `docs/` below `repository`; throws where a block names something that the sources do not have. */
export async function documentedPages(repository: string): Promise<readonly DocumentedPage[]> {
  const read = async (path: string): Promise<string> => await readFile(join(repository, path), "utf8");
  const options = readOptions(await read("config.yaml"));
  const actions = readActions(await read("actions.yaml"));
  const program = documentedProgram();
  const fill = ([kind = "", ...names]: readonly string[]): string => {
    switch (kind) {
      case "options":
        return optionTable(options, names);
      case "action":
        return actionText(actions, names.join(" "));
      case "command":
        return commandHelp(program, names.join(" "));
      default:
        throw new Error(`there is no block of the kind ${kind}`);
    }
  };
  const paths = (await Array.fromAsync(glob("docs/**/*.md", { cwd: repository }))).toSorted();
  return await Promise.all(
    paths.map(async (path) => {
      const text = await read(path);
      return { path, text, wanted: fillBlocks(text, fill) };
    }),
  );
}
