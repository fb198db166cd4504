/**
 * Runs a command, passes its output on, and makes a picture of it.
 * usage: picture.ts FILE.svg [--still] COMMAND [WORD...]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { movingPicture, stillPicture, type RecordedLine } from "./docs/terminal-picture.ts";

const [file, ...rest] = process.argv.slice(2);
const isStill = rest[0] === "--still";
const [command, ...words] = isStill ? rest.slice(1) : rest;
if (file === undefined || command === undefined) {
  console.error("usage: npm run picture -- FILE.svg [--still] COMMAND [WORD...]");
  process.exitCode = 2;
} else process.exitCode = await record(file, command, words);

async function record(target: string, program: string, parameters: readonly string[]): Promise<number> {
  const began = performance.now();
  const lines: RecordedLine[] = [{ at: 0, text: `$ ${[program, ...parameters].join(" ")}` }];
  const child = spawn(program, parameters, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close") as Promise<[number | null]>;
  for await (const text of createInterface({ input: child.stdout })) {
    console.log(text);
    lines.push({ at: performance.now() - began, text });
  }
  const [code] = await ended;
  const picture = isStill ? stillPicture(lines.map(({ text }) => text)) : movingPicture(lines);
  await writeFile(target, picture);
  return code ?? 1;
}
