/** What Juju starts. */
import type { CharmPackage } from "./package.ts";
import { textOf } from "./package.ts";

/**
 * What is wrong with `dispatch`. Its last line must end in the path of an executable, for charmcraft's checker
 * (contract 6.2); of the paths that it names, those below a folder of the charm must be there.
 */
export function dispatchProblems(charm: CharmPackage): readonly string[] {
  const text = textOf(charm, "dispatch");
  if (text === undefined) return ["dispatch: is missing, so Juju could not run a hook"];
  const problems: string[] = [];
  if (charm.files.get("dispatch")?.mode !== 0o755) problems.push("dispatch: has not the mode 0755");
  if (!text.startsWith("#!/bin/sh\n")) problems.push("dispatch: does not begin with #!/bin/sh");
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const words = lines.flatMap((line) => line.split(/[\s;]+/));
  const entryPoint = clean(words.at(-1) ?? "");
  const entry = charm.files.get(entryPoint);
  if (entry === undefined) problems.push(`dispatch: ends in ${entryPoint}, which is no file of the charm`);
  else if ((entry.mode & 0o111) === 0)
    problems.push(`${entryPoint}: is not executable, though dispatch ends in it`);
  const folders = new Set([...charm.files.keys()].map((path) => path.slice(0, path.indexOf("/") + 1)));
  for (const path of new Set(words.map(clean))) {
    const isOurs = /^[\w.-]+\/[\w./-]+$/.test(path) && folders.has(path.slice(0, path.indexOf("/") + 1));
    if (isOurs && path !== entryPoint && !charm.files.has(path))
      problems.push(`dispatch: names ${path}, which is no file of the charm`);
  }
  return problems;
}

/** A word of the shell as a path in the charm. */
function clean(word: string): string {
  return word.replaceAll(/["'$]/g, "").replace(/^(?:\w+=)?(?:\.\/)?/, "");
}
