/** Cutting a byte stream into lines. */
import { StringDecoder } from "node:string_decoder";

/** A line longer than this is handed on in pieces, so that a guest cannot fill our memory with one line. */
const LONGEST_LINE = 8192;

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
    for (const line of lines) onLine(line.replace(/\r$/, ""));
    for (; rest.length > LONGEST_LINE; rest = rest.slice(LONGEST_LINE)) onLine(rest.slice(0, LONGEST_LINE));
  };
  return {
    write: (chunk) => take(decoder.write(chunk)),
    end: () => {
      take(decoder.end());
      if (rest !== "") onLine(rest);
      rest = "";
    },
  };
}
