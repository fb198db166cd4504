/** `image-builder list-builds` and `show-build`: the journals, for people and (`--json`) for programs. */
import { dirname, join, resolve } from "node:path";
import { ConfigError, formatDuration } from "../../base/errors.ts";
import { listBuilds, readBuild, type Build } from "../../build/history.ts";
import { SCHEDULE_FILE } from "../../build/paths.ts";
import { minuteOf, nextTick, readTicks } from "../../build/ticks.ts";
import { specName } from "../../build/types.ts";
import type { Terminal } from "../program.ts";

/** Writes one line per build, oldest first, and when the next one is due if a charm has scheduled it. */
export async function listBuildsCommand(
  options: { readonly builds: string; readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const builds = await listBuilds(options.builds);
  if (options.json) {
    terminal.stdout.write(`${JSON.stringify(builds.map(summary), null, 2)}\n`);
    return;
  }
  for (const build of builds) {
    const { id, state, request, artifacts } = build;
    const images = request.images.map(specName).join(",");
    terminal.stdout.write(
      `${id}  ${state.padEnd(11)}  ${images}  ${artifacts.length} copies  (${request.reason})\n`,
    );
  }
  const next = await nextBuild(options.builds);
  if (next !== null) terminal.stdout.write(`next build: ${minuteOf(next)}\n`);
}

/** Writes one build's state, steps, images and errors, and when the next build is due if a charm has scheduled it. */
export async function showBuildCommand(
  options: { readonly folder: string; readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const build = await readBuild(options.folder);
  if (build === null) throw new ConfigError([`there is no build in ${options.folder}`]);
  const next = await nextBuild(dirname(resolve(options.folder)));
  if (options.json) {
    const shown = { ...summary(build), ...(next === null ? {} : { nextBuild: next.toISOString() }) };
    terminal.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
    return;
  }
  const lines = [
    `build ${build.id}: ${build.state} (asked for by ${build.request.reason})`,
    ...build.steps.map(({ image, step, ms, error }) => {
      const how = ms === null ? "running" : error === null ? formatDuration(ms) : `FAILED: ${error}`;
      return `  ${image === "" ? "" : `${image}: `}${step}: ${how}`;
    }),
    ...build.artifacts.map(({ spec, cloud, imageId }) => `  image ${specName(spec)} in ${cloud}: ${imageId}`),
    ...build.errors.map((error) => `  error: ${error}`),
    ...(next === null ? [] : [`next build: ${minuteOf(next)}`]),
  ];
  terminal.stdout.write(`${lines.join("\n")}\n`);
}

/** When the charm that writes its builds into the folder `builds` starts the next one; null without a schedule. */
async function nextBuild(builds: string): Promise<Date | null> {
  const ticks = await readTicks(join(dirname(resolve(builds)), SCHEDULE_FILE));
  return ticks === null ? null : nextTick(ticks, new Date(), null);
}

function summary(build: Build): Omit<Build, "request"> & { readonly reason: string } {
  const { request, ...rest } = build;
  return { ...rest, reason: request.reason };
}
