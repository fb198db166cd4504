/** `npm run try`: the whole product at work on this machine, told live; the README's first command. */
import { CancelledError, describe, formatDuration } from "../src/base/errors.ts";
import { createReporter } from "../src/cli/progress.ts";
import { PACKAGES } from "./story/model.ts";
import { tellStory } from "./story/story.ts";
import type { Story } from "./story/told.ts";

interface Phase {
  readonly name: string;
  readonly began: number;
}

const began = performance.now();
const phases: Phase[] = [];
const cancel = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => cancel.abort(new CancelledError(`ended by ${name}; run it again, it resumes`)));
}

function clock(): string {
  return formatDuration(performance.now() - began).padStart(6);
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function tell({ first, second, builds, checks, search, joined, model }: Story): void {
  const artifacts = builds.flatMap(({ build }) => build.artifacts);
  const row = (revision: string) => (published: Story["first"][number]) => {
    const cloud = artifacts.find(({ imageId }) => imageId === published.id)?.cloud ?? "";
    const { status, sizeBytes } = published.image;
    const megabytes = `${((sizeBytes ?? 0) / 1e6).toFixed(0)} MB`;
    return [published.relation, cloud, published.id, published.tags, revision, status, megabytes];
  };
  console.log("\nPublished images");
  console.log(
    table([
      ["relation", "cloud", "image id", "tags", "revision", "status", "size"],
      ...first.map(row("first, kept")),
      ...second.map(row("second, now")),
    ]),
  );
  console.log(`\ncron started build ${joined.byCron}; the action run joined ${joined.byAction}`);
  const peak = Math.max(...builds.map(({ peakMemoryBytes }) => peakMemoryBytes));
  console.log(`most memory of a builder process: ${(peak / 1e6).toFixed(0)} MB`);
  const failed = checks.filter(({ problem }) => problem !== null);
  console.log(`proof of the image: ${checks.length - failed.length} of ${checks.length} checks hold`);
  console.log(
    `search of its whole disk: ${search.found.length === 0 ? "nothing" : search.found.join(", ")} found`,
  );
  console.log(`\njuju status\n\n${model}`);
  console.log("Time of each phase");
  const ends = [...phases.slice(1).map((phase) => phase.began), performance.now()];
  console.log(table(phases.map((phase, at) => [formatDuration((ends[at] ?? 0) - phase.began), phase.name])));
  console.log(`${clock().trim()} in all`);
  if (failed.length > 0 || search.found.length > 0) process.exitCode = 1;
}

try {
  using reporter = createReporter(process.stdout);
  const story = await tellStory(
    {
      phase: (name) => {
        phases.push({ name, began: performance.now() });
        console.log(`\n${clock()}  == ${name}`);
      },
      line: (text) => console.log(`${clock()}  ${text}`),
      buildEvent: reporter.report,
    },
    PACKAGES,
    cancel.signal,
  );
  tell(story);
} catch (error) {
  console.error(`\nnot done: ${describe(error)}`);
  process.exitCode = cancel.signal.aborted ? 130 : 1;
}
