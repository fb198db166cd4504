/** Cutting a byte stream into lines. */
import { StringDecoder } from "node:string_decoder";
import { redact } from "../base/redact.ts";

/** A line longer than this is handed on in pieces, so that a guest cannot fill our memory with one line. */
const LONGEST_LINE = 8192;
/** Held back of a line that has not ended: a secret in two pieces would be none that anybody knows. */
const HELD_BACK = 8192;

/** Takes chunks and calls `onLine` for each line without its end; `end` hands on what is left. */
export function lineSplitter(onLine: (line: string) => void): {
  write: (chunk: Uint8Array) => void;
  end: () => void;
} {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const take = (text: string): void => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) handOn(line.replace(/\r$/, ""));
    if (rest.length <= LONGEST_LINE + HELD_BACK) return;
    rest = redact(rest);
    for (; rest.length > LONGEST_LINE + HELD_BACK; rest = rest.slice(LONGEST_LINE))
      onLine(rest.slice(0, LONGEST_LINE));
  };
  const handOn = (line: string): void => {
    let left = line.length > LONGEST_LINE ? redact(line) : line;
    for (; left.length > LONGEST_LINE; left = left.slice(LONGEST_LINE)) onLine(left.slice(0, LONGEST_LINE));
    onLine(left);
  };
  return {
    write: (chunk) => take(decoder.write(chunk)),
    end: () => {
      take(decoder.end());
      if (rest !== "") handOn(rest);
      rest = "";
    },
  };
}
