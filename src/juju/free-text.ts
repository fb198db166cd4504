/** Text made fit for a command line: an argument holds no NUL, a status no line break (juju-rules 3.1). */

/** `text` without NUL, which no argument can hold. */
export function asArgument(text: string): string {
  return text.replaceAll("\0", "\uFFFD");
}

/** `text` as one line of at most `length` characters, the cut marked by an ellipsis. */
export function oneLine(text: string, length: number): string {
  const line = asArgument(text).replace(/\s+/g, " ").trim();
  return line.length <= length
    ? line
    : `${line
        .slice(0, length - 1)
        .toWellFormed()
        .trimEnd()}…`;
}

/** `text` in pieces of at most `bytes` bytes of UTF-8, cut at line ends where there is one, never inside a character. */
export function splitBytes(text: string, bytes: number): readonly string[] {
  const pieces: string[] = [];
  let rest = Buffer.from(asArgument(text));
  while (rest.length > bytes) {
    const lineEnd = rest.lastIndexOf(0x0a, bytes - 1);
    let end = lineEnd > 0 ? lineEnd + 1 : bytes;
    // bytes 10xxxxxx continue a character
    while (end > 1 && ((rest[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    pieces.push(rest.subarray(0, end).toString());
    rest = rest.subarray(end);
  }
  pieces.push(rest.toString());
  return pieces;
}
