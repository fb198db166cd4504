/** `image-builder rollback` and `unpin`: what stays published whatever is built. */
import { minutes, withDeadline } from "../../base/deadline.ts";
import { AppError, ConfigError } from "../../base/errors.ts";
import { exec } from "../../base/exec.ts";
import { artifactsOfRevision, listCopies, revisionToRollTo } from "../../build/inventory.ts";
import { withoutPins, withPin, writePins } from "../../build/pins.ts";
import { specName, type ImageSpec } from "../../build/types.ts";
import type { Terminal } from "../program.ts";
import { askClouds, readSite, type Site } from "../site.ts";

/** The charm's dispatch may wait for other hooks. */
const WAKE_LIMIT_MS = minutes(5);

/** What both commands take. */
export interface PinOptions {
  readonly request: string;
  /** Names such as `noble-x64`; none: all images. */
  readonly images: readonly string[];
  /** Whether the charm is told, so that it publishes. */
  readonly wake: boolean;
}

/**
 * Pins each image to the revision that `to` means (see {@link revisionToRollTo}) and has the charm publish it. Throws
 * before anything is changed when one of them has no such revision.
 */
export async function rollbackCommand(
  options: PinOptions & { readonly to: string },
  terminal: Terminal,
): Promise<void> {
  const site = await readSite(options.request, terminal);
  const specs = specsOf(site, options.images);
  const { owner } = site.request;
  const answers = await askClouds(
    site,
    site.targets,
    terminal,
    async (cloud, signal) => await listCopies(cloud, owner, specs, site.evidence, { signal }),
  );
  const copies = answers.flatMap(({ value }) => value ?? []);
  const unasked = answers.flatMap(({ cloud, problem }) => (problem === null ? [] : [`${cloud}: ${problem}`]));
  let pins = site.pins;
  const lines: string[] = [];
  for (const spec of specs) {
    const image = specName(spec);
    const revision = revisionToRollTo(copies, image, options.to);
    if (revision === null) {
      const what =
        options.to === "" ? "no good image before the published one" : `no good image ${options.to}`;
      const doubt = unasked.length === 0 ? "" : `; not asked: ${unasked.join("; ")}`;
      throw new AppError(`cannot roll back ${image}: there is ${what}; see list-images${doubt}`);
    }
    const found = artifactsOfRevision(copies, spec, revision);
    pins = withPin(pins, { spec, buildId: revision, copies: found }, new Date());
    const where = found.map(({ cloud, imageId }) => `${imageId} in ${cloud}`).join(", ");
    lines.push(`${image} is pinned to ${revision}: ${where}`);
  }
  for (const problem of unasked) lines.push(`not asked: ${problem}`);
  await writePins(fileOf(site), pins);
  terminal.stdout.write(`${lines.join("\n")}\n`);
  if (options.wake) await wake(site, terminal);
}

/** Takes the pins off and has the charm publish the newest again. */
export async function unpinCommand(options: PinOptions, terminal: Terminal): Promise<void> {
  const site = await readSite(options.request, terminal);
  const names = options.images.length === 0 ? null : specsOf(site, options.images).map(specName);
  const meant = site.pins.pins
    .map(({ spec }) => specName(spec))
    .filter((name) => names?.includes(name) ?? true);
  if (meant.length === 0) throw new AppError("nothing of that is pinned");
  await writePins(fileOf(site), withoutPins(site.pins, names, new Date()));
  terminal.stdout.write(`no longer pinned: ${meant.join(", ")}\n`);
  if (options.wake) await wake(site, terminal);
}

function specsOf({ request }: Site, names: readonly string[]): readonly ImageSpec[] {
  if (names.length === 0) return request.images;
  const unknown = names.filter((name) => !request.images.some((spec) => specName(spec) === name));
  if (unknown.length > 0) {
    const known = request.images.map(specName).join(", ");
    throw new ConfigError(unknown.map((name) => `--image: "${name}" is none of ${known}`));
  }
  return request.images.filter((spec) => names.includes(specName(spec)));
}

function fileOf({ pinsFile }: Site): string {
  if (pinsFile === null) throw new ConfigError(["--request: no charm publishes by this request"]);
  return pinsFile;
}

async function wake({ request }: Site, terminal: Terminal): Promise<void> {
  const [file, ...parameters] = request.wake;
  if (file === undefined) return;
  await withDeadline(terminal.signal, WAKE_LIMIT_MS, "telling the charm", async (signal) => {
    const env = { PATH: terminal.env["PATH"] ?? "" };
    const { code, stderr } = await exec(file, parameters, { env, signal });
    if (code !== 0)
      throw new AppError(`cannot tell the charm: ${file} exited with ${code}: ${stderr.trim()}`);
  });
}
