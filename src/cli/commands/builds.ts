/** `image-builder list-builds` and `show-build`: the journals, for people and (`--json`) for programs. */
import { ConfigError, formatDuration } from "../../base/errors.ts";
import { listBuilds, readBuild, type Build } from "../../build/history.ts";
import { specName } from "../../build/types.ts";
import type { Terminal } from "../program.ts";

/** Writes one line per build, oldest first. */
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
}

/** Writes one build's state, steps, images and errors. */
export async function showBuildCommand(
  options: { readonly folder: string; readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const build = await readBuild(options.folder);
  if (build === null) throw new ConfigError([`there is no build in ${options.folder}`]);
  if (options.json) {
    terminal.stdout.write(`${JSON.stringify(summary(build), null, 2)}\n`);
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
  ];
  terminal.stdout.write(`${lines.join("\n")}\n`);
}

function summary(build: Build): Omit<Build, "request"> & { readonly reason: string } {
  const { request, ...rest } = build;
  return { ...rest, reason: request.reason };
}
