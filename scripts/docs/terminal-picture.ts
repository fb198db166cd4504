/** Pictures of a terminal as SVG: a still one, or a recording that moves by CSS alone, so that pages may embed it. */

/** A line and when it was written, in milliseconds since the begin. */
export interface RecordedLine {
  readonly at: number;
  readonly text: string;
}

const COLUMNS = 118;
/** The same of a still picture's longest line. */
const WIDEST = 170;
/** Rows of a recording; a still picture has as many as it has lines. */
const ROWS = 30;
const LINE_HEIGHT = 17;
const CHARACTER_WIDTH = 7.83;
const MARGIN = 14;
/** The longest that nothing moves, and how much shorter than life waits are, in seconds. */
const LONGEST_PAUSE = 1.2;
const SHORTER = 25;
const LEAST_PAUSE = 0.06;
/** The end stays for so long before it begins anew. */
const END_SECONDS = 8;

/** What lines are coloured by, the first that fits. */
const COLOURS: readonly (readonly [RegExp, string])[] = [
  [/^\$ /, "prompt"],
  [/ == /, "phase"],
  [/\bFAIL|\bblocked\b|\berror\b/, "bad"],
  [/ ok {4}|\bverified\b|\bactive\b|nothing found|\bhold$/, "good"],
];

/** A picture of all `lines` at once, as wide as the longest. */
export function stillPicture(lines: readonly string[]): string {
  const columns = Math.min(WIDEST, Math.max(COLUMNS, ...lines.map(({ length }) => length)));
  return frame({ rows: lines.length, columns }, "", texts(lines, columns));
}

/** A picture in which `lines` come one after the other, waits shortened; who wants no motion sees the end. */
export function movingPicture(lines: readonly RecordedLine[]): string {
  const times = [0];
  for (const [index, { at }] of lines.entries()) {
    const waited = (at - (lines[index - 1]?.at ?? 0)) / 1000 / SHORTER;
    times.push((times.at(-1) ?? 0) + Math.min(LONGEST_PAUSE, Math.max(LEAST_PAUSE, waited)));
  }
  const whole = (times.at(-1) ?? 0) + END_SECONDS;
  // the last line that was written stands in the last row
  const offset = (count: number): number => (ROWS - count) * LINE_HEIGHT;
  const steps = times.map(
    (time, count) => `${((100 * time) / whole).toFixed(2)}%{transform:translateY(${offset(count)}px)}`,
  );
  const end = offset(lines.length);
  const style =
    `#t{transform:translateY(${end}px)}` +
    `@media (prefers-reduced-motion:no-preference){#t{animation:t ${whole.toFixed(2)}s step-end infinite}}` +
    `@keyframes t{${steps.join("")}100%{transform:translateY(${end}px)}}`;
  const content = texts(
    lines.map(({ text }) => text),
    COLUMNS,
  );
  return frame({ rows: ROWS, columns: COLUMNS }, style, `<g id="t">${content}</g>`);
}

function frame(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  style: string,
  content: string,
): string {
  const width = Math.ceil(columns * CHARACTER_WIDTH) + 2 * MARGIN;
  const height = rows * LINE_HEIGHT + 2 * MARGIN;
  const inner = `x="0" y="${MARGIN}" width="${width}" height="${rows * LINE_HEIGHT}"`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `<style>text{font:13px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre;fill:#d4d7dc}` +
    `.prompt{fill:#fff;font-weight:bold}.phase{fill:#6cb6ff;font-weight:bold}.bad{fill:#ff7b72}.good{fill:#7ee787}` +
    `${style}</style><rect width="100%" height="100%" rx="8" fill="#1b1f24"/>` +
    `<svg ${inner}>${content}</svg></svg>\n`
  );
}

function texts(lines: readonly string[], columns: number): string {
  return lines
    .map((line, row) => {
      const shown = line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
      const colour = COLOURS.find(([pattern]) => pattern.test(line))?.[1];
      const y = row * LINE_HEIGHT + 13;
      return `<text x="${MARGIN}" y="${y}"${colour === undefined ? "" : ` class="${colour}"`}>${escaped(shown)}</text>`;
    })
    .join("");
}

function escaped(text: string): string {
  // what a terminal would not print has no place in XML either
  return text
    .replaceAll(/\p{Cc}/gu, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
