/** `image-builder show-build`: one build as a timeline, for people and (`--json`) for programs. */
import { join } from "node:path";
import { ConfigError, formatDuration } from "../../base/errors.ts";
import { readOptional } from "../../base/files.ts";
import { readBuild, type Build, type StepView } from "../../build/history.ts";
import { BUILD_LOG_FILE } from "../../build/start-build.ts";
import { manifestFile } from "../../build/steps/manifest.ts";
import { minuteOf } from "../../build/ticks.ts";
import { specName } from "../../build/types.ts";
import type { Terminal } from "../program.ts";
import { table } from "../table.ts";
import { nextBuild, summary } from "./builds.ts";

/** Lines of a failed build's log that are shown. */
const TAIL_LINES = 15;
/** Characters of the timeline's bar. */
const BAR = 24;

/** Writes one build: its timeline, images, errors with the next thing to try, and of a failed one the end of its log. */
export async function showBuildCommand(
  options: { readonly folder: string; readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const build = await readBuild(options.folder);
  if (build === null) throw new ConfigError([`there is no build in ${options.folder}`]);
  const next = await nextBuild(join(options.folder, ".."));
  if (options.json) {
    const shown = { ...summary(build), ...(next === null ? {} : { nextBuild: next.toISOString() }) };
    terminal.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
    return;
  }
  const tail = build.state === "failed" || build.state === "interrupted" ? await logTail(build) : [];
  const lines = [
    `build ${build.id}: ${build.state} (asked for by ${build.request.reason})`,
    ...timeline(build, new Date()).map((line) => `  ${line}`),
    ...build.artifacts.map(({ spec, cloud, imageId }) => `  image ${specName(spec)} in ${cloud}: ${imageId}`),
    ...(await manifests(build)).map((file) => `  manifest ${file}`),
    ...build.errors.map((error) => `  error: ${error}`),
    ...(build.advice === null ? [] : [`  next: ${build.advice}`]),
    ...(tail.length === 0
      ? []
      : [`  end of ${join(build.folder, BUILD_LOG_FILE)}:`, ...tail.map((line) => `    ${line}`)]),
    ...(next === null ? [] : [`next build: ${minuteOf(next)}`]),
  ];
  terminal.stdout.write(`${lines.join("\n")}\n`);
}

/** A line per step: when it began, how long it took, and where that lies in the whole build. */
export function timeline(build: Build, now: Date): readonly string[] {
  const { steps, startedAt, endedAt } = build;
  if (startedAt === null || steps.length === 0) return [];
  const begin = Date.parse(startedAt);
  const isOver = build.state !== "running";
  // of a step that was cut short nobody knows how long it took
  const lasts = (step: StepView): number =>
    step.ms ?? (isOver ? 0 : now.getTime() - Date.parse(step.startedAt));
  const end = endedAt === null ? begin : Date.parse(endedAt);
  const whole = Math.max(
    1,
    end - begin,
    ...steps.map((step) => Date.parse(step.startedAt) - begin + lasts(step)),
  );
  const rows = steps.map((step) => {
    const from = Math.max(0, Date.parse(step.startedAt) - begin);
    const first = Math.min(BAR - 1, Math.floor((BAR * from) / whole));
    const length = Math.max(1, Math.min(BAR - first, Math.round((BAR * lasts(step)) / whole)));
    return [
      `+${clock(from)}`,
      step.image,
      step.step,
      isOver && step.ms === null ? "cut short" : howOf(step, lasts(step)),
      `${" ".repeat(first)}${"#".repeat(length)}`,
    ];
  });
  return table(["AT", "IMAGE", "STEP", "TOOK", "TIME"], rows).split("\n");
}

function howOf({ ms, error, progress }: StepView, lasts: number): string {
  if (error !== null) return `FAILED after ${formatDuration(lasts)}`;
  const percent =
    progress === null || progress.total === 0
      ? ""
      : `, ${Math.floor((100 * progress.done) / progress.total)} %`;
  return ms === null ? `running${percent} (${formatDuration(lasts)})` : formatDuration(ms);
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}

async function manifests({ folder, request }: Build): Promise<readonly string[]> {
  const files = request.images.map((spec) => join(folder, manifestFile(specName(spec))));
  const texts = await Promise.all(files.map(readOptional));
  return files.filter((_, index) => texts[index] !== undefined);
}

/** The end of a build's log as a person reads it. */
async function logTail({ folder }: Build): Promise<readonly string[]> {
  const text = (await readOptional(join(folder, BUILD_LOG_FILE))) ?? "";
  return text
    .split("\n")
    .filter((line) => line !== "")
    .slice(-TAIL_LINES)
    .map(readable);
}

function readable(line: string): string {
  try {
    const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const { message } = (fields["err"] ?? {}) as { message?: string };
    const rest = Object.entries(fields)
      .filter(([name]) => name !== "err")
      .map(([name, value]) => ` ${name}=${String(value)}`);
    const error = message === undefined ? "" : `: ${message}`;
    return `${String(time).slice(11, 19)} ${String(level)} ${String(msg)}${error}${rest.join("")}`;
  } catch {
    // what the runtime itself wrote is no JSON
    return line;
  }
}
