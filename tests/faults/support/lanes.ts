/** Applications that build again and again, each through a fault proxy of its own. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type FaultProxy, startFaultProxy } from "../../../lab/faults/proxy.ts";
import { TAG } from "../../../src/build/names.ts";
import { type CloudAuth, getImage, isNotFound } from "../../../src/openstack/index.ts";
import type { BuildChanges, BuildResult, Workshop } from "../../support/build.ts";
import { fakeCloudAuth, type LabProject } from "../../support/openstack.ts";
import { SWEEP_LIMITS } from "./fault-kinds.ts";
import { publishing, readPublications } from "./publisher.ts";

/** Projects that get copies. */
export const TARGETS = ["runner-a", "runner-b"] as const;

/** One application with its proxy; dispose of it. */
export interface Lane extends AsyncDisposable {
  readonly workshop: Workshop;
  readonly proxy: FaultProxy;
  /** Writes clouds.yaml anew, with these accounts where they are not the lab's own. */
  readonly signInBy: (accounts: Readonly<Partial<Record<LabProject, CloudAuth>>>) => Promise<void>;
  /** Builds once; the charm's part publishes what was verified, where a cloud got nothing what was there before. */
  readonly build: (changes?: BuildChanges) => Promise<BuildResult>;
}

/** A lane on `workshop`, whose clouds are reached through a proxy, by `accounts` where they are not the lab's own. */
export async function openLane(
  workshop: Workshop,
  accounts: Readonly<Partial<Record<LabProject, CloudAuth>>> = {},
): Promise<Lane> {
  const direct = await fakeCloudAuth("builder");
  const proxy = await startFaultProxy(direct.authUrl);
  const signInBy = async (own: typeof accounts): Promise<void> => {
    const through = await Promise.all(
      (["builder", ...TARGETS] as const).map(async (name): Promise<[string, CloudAuth]> => [
        name,
        { ...(own[name] ?? (await fakeCloudAuth(name))), authUrl: proxy.authUrl },
      ]),
    );
    await workshop.writeClouds([], Object.fromEntries(through));
  };
  await signInBy(accounts);
  return {
    workshop,
    proxy,
    signInBy,
    async build(changes = {}) {
      return await workshop.run({
        ...changes,
        request: { limits: SWEEP_LIMITS, ...changes.request },
        ...publishing(workshop.folder, changes.onEvent),
      });
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await workshop[Symbol.asyncDispose]();
    },
  };
}
/** A build without faults, which must succeed. */
export async function buildWell(lane: Lane): Promise<BuildResult> {
  lane.proxy.setRules([]);
  const result = await lane.build();
  const { outcome, build } = result;
  if (outcome !== "done") throw new Error(`a build without faults failed: ${build.errors.join("; ")}`);
  return result;
}

/** Builds until each target has the two revisions that are kept, so that the next build prunes one. */
export async function settle(lane: Lane): Promise<void> {
  for (const project of TARGETS) {
    while ((await lane.workshop.images(project)).length < 2) await buildWell(lane);
  }
}

/** Files of a build that may stay. */
const KNOWN_FILES =
  /^(request\.json|journal\.jsonl|build\.log|manifest-[a-z0-9-]+\.json|.*\.spdx\.json|\S+\.json)$/;

/** Everything that is wrong after a build, whatever its outcome: leftovers, published images that are not active. */
export async function damage({ workshop }: Lane, { build, outcome }: BuildResult): Promise<string[]> {
  const problems = [...(await workshop.leftovers())];
  const options = { signal: AbortSignal.timeout(60_000) };
  const published = await readPublications(workshop.folder);
  for (const [project, id] of published) {
    try {
      const { status } = await getImage(workshop.clouds[project], id, options);
      if (status !== "active") problems.push(`${project}: published image ${id} is ${status}`);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      problems.push(`${project}: published image ${id} is gone`);
    }
  }
  for (const project of TARGETS) {
    const ours = (await workshop.images(project)).filter(
      ({ properties }) => properties[TAG.build] === build.id,
    );
    if (ours.length > 1) problems.push(`${project}: ${ours.length} copies of one build`);
  }
  for (const name of await readdir(join(workshop.folder, "builds", build.id))) {
    if (!KNOWN_FILES.test(name)) problems.push(`file ${name}`);
  }
  if (outcome === "failed") problems.push(...sentenceFlaws(build.errors));
  return problems;
}

/** What is wrong with the sentences of a failed build. */
export function sentenceFlaws(errors: readonly string[]): string[] {
  if (errors.length === 0) return ["failed without a sentence"];
  return errors.flatMap((error) => {
    const flaws: string[] = [];
    if (!/^(noble-x64: )?(cannot |no copy in )/.test(error)) flaws.push(`names no step: ${error}`);
    if (!/: /.test(error)) flaws.push(`names no cause: ${error}`);
    if (/[\n<>]|undefined|\[object|NaN/.test(error)) flaws.push(`is no sentence: ${error}`);
    if (error.length > 700) flaws.push(`is too long: ${error}`);
    return flaws;
  });
}
