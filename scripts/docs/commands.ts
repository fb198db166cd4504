/** What `image-builder` says of its commands. */
import { createProgram } from "../../src/cli/program.ts";

/** Columns of the help in pages. */
const WIDTH = 100;

/** The commander tree. */
export type Program = ReturnType<typeof createProgram>;

/** The real program on this process's streams, its help as wide as a page; nothing in it is run. */
export function documentedProgram(): Program {
  const { stdout, stderr } = process;
  const signal = new AbortController().signal;
  const program = createProgram({
    env: {},
    stdout,
    stderr,
    signal,
    setExitCode: () => {},
    proxy: () => null,
  });
  for (const command of [program, ...program.commands])
    command.configureOutput({ getOutHelpWidth: () => WIDTH, getErrHelpWidth: () => WIDTH });
  return program;
}

/** What `image-builder NAME --help` prints, fenced; throws for a command that there is not. */
export function commandHelp(program: Program, name: string): string {
  const command = program.commands.find((one) => one.name() === name);
  if (command === undefined) throw new Error(`image-builder has no command ${name}`);
  return `\`\`\`text\n${command.helpInformation().trimEnd()}\n\`\`\`\n`;
}
