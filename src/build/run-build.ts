/** A whole build: everything that its images share, the images themselves, publishing and pruning. */
import { withDeadline } from "../base/deadline.ts";
import { AppError, asError, CancelledError, describe } from "../base/errors.ts";
import { limitsWith } from "../base/limits.ts";
import { mapLimit } from "../base/limit.ts";
import { listFlavors, listNetworks, readComputeLimits, type Cloud } from "../openstack/index.ts";
import { adviceFor } from "./advice.ts";
import {
  buildImage,
  contextOf,
  ensureBaseImage,
  scopeOf,
  type BuildDeps,
  type Prepared,
  type Targets,
} from "./build-image.ts";
import { copyImage, type Copied } from "./copy-image.ts";
import { adopt } from "./adoption.ts";
import { lookAtPublished } from "./look.ts";
import { publishAndPrune } from "./publish-and-prune.ts";
import { reapAll } from "./reap-all.ts";
import { FOUND } from "./releases.ts";
import { FIRST_MADE, step, type StepContext } from "./step.ts";
import { chooseFlavor, chooseNetwork } from "./steps/choose-server.ts";
import { fetchScript } from "./steps/fetch-script.ts";
import { roomForBuilders } from "./steps/quota.ts";
import { newestRunner, resolveRunnerVersion } from "./steps/runner-version.ts";
import { ensureSecurityGroup } from "./steps/security-group.ts";
import { specName, type Artifact, type BuildRequest, type BuildSecrets, type ImageSpec } from "./types.ts";

/** What a whole build needs beyond one image. */
export interface RunDeps extends BuildDeps {
  /** Names of all clouds in the request's clouds.yaml as it is now. */
  readonly cloudNames: () => Promise<readonly string[]>;
  /** Ids of the builds that run at this moment, this one included: their resources are not orphans. */
  readonly alive: ReadonlySet<string>;
  /** Images that must stay whatever their state: those that the journals of finished builds name. */
  readonly knownImages: ReadonlySet<string>;
  /** What the builder is told on tmpfs; read once, and gone from there then. */
  readonly secrets: () => Promise<BuildSecrets>;
  /** Tells the charm that there is something to publish and waits until it has; false when it did not work. */
  readonly publish: () => Promise<boolean>;
  /** Whether the machine goes down at this moment. */
  readonly isMachineStopping: () => Promise<boolean>;
}

/** How a build ended. `cancelled` means on request, not by a fault; `interrupted` that the machine goes down. */
export type Outcome = "done" | "failed" | "cancelled" | "interrupted";

/**
 * Runs `request` to its end and journals how it ended; never throws. `failed` also when only some images or
 * targets failed: the good ones are published all the same.
 */
export async function runBuild(request: BuildRequest, deps: RunDeps, signal: AbortSignal): Promise<Outcome> {
  try {
    const work = async (limit: AbortSignal): Promise<Error | null> => await buildAll(request, deps, limit);
    const failure = await withDeadline(
      signal,
      limitsWith(request.limits).build,
      "the whole build",
      work,
      limitsWith(request.limits).unwind,
    );
    deps.journal.add({
      event: "ended",
      outcome: failure === null ? "done" : "failed",
      error: failure === null ? null : describe(failure),
      ...(failure === null ? {} : advice(failure)),
    });
    return failure === null ? "done" : "failed";
  } catch (error) {
    const outcome = signal.reason instanceof CancelledError ? await endedBy(deps) : "failed";
    deps.log.error({ err: error }, "build failed");
    const more = outcome === "failed" ? advice(error) : {};
    deps.journal.add({ event: "ended", outcome, error: describe(error), ...more });
    return outcome;
  }
}

/** A machine that goes down ends its builds by the same signal as `cancel`, but nobody wants them to end. */
async function endedBy({ isMachineStopping }: RunDeps): Promise<"cancelled" | "interrupted"> {
  return (await isMachineStopping()) ? "interrupted" : "cancelled";
}

/** The next thing to try, where there is something to say. */
function advice(error: unknown): { readonly advice?: string } {
  const text = adviceFor(error);
  return text === null ? {} : { advice: text };
}

/** The first failure of a build that went on beside it; null when all went well. Throws when nothing could be built. */
async function buildAll(request: BuildRequest, deps: RunDeps, signal: AbortSignal): Promise<Error | null> {
  const context: StepContext = { image: "", log: deps.log, journal: deps.journal, signal };
  // read first: the file is gone then, however the build ends
  const secrets = await deps.secrets();
  using clouds = new DisposableStack();
  const open = async (name: string, limit: AbortSignal): Promise<Cloud> =>
    clouds.adopt(await deps.openCloud(name, limit), (opened) => opened.close());

  const cloud = await step(
    context,
    "sign in to the build cloud",
    limitsWith(request.limits).signIn,
    async (limit) => open(request.buildCloud, limit),
  );
  if (request.kind === "initialise") {
    await reapAll(request, [cloud], { context, tidy }, deps);
    await prepareSecurityGroup();
    for (const spec of request.images) {
      const imageContext = contextOf(spec, deps, signal);
      await using scope = scopeOf(imageContext);
      await ensureBaseImage(spec, request, cloud, deps, imageContext, scope);
    }
    return null;
  }
  // now, so that bad credentials are known before an hour of building; again at each upload
  const first = await step(
    context,
    "sign in to the target clouds",
    limitsWith(request.limits).signIn,
    async (limit) => {
      const targets = await openTargets(limit);
      if (targets.clouds.length === 0) {
        // told all the same: what was tried is not tried again at each hook
        if (request.kind === "copy") {
          deps.journal.add({ event: "targets", image: "", clouds: [...targets.names] });
        }
        for (const target of targets.failures)
          deps.journal.add({ event: "upload-failed", image: "", ...target });
        const texts = targets.failures.map(({ cloud: name, error }) => `${name}: ${error}`);
        throw new AppError(texts.length === 0 ? "there is no target cloud" : texts.join("; "));
      }
      return targets;
    },
  );
  const isClean = await reapAll(request, [cloud, ...first.clouds], { context, tidy }, deps);
  const adoption = { request, targets: first, context, isClean };
  if (request.kind === "adopt") return await adopt(adoption);
  await tidy("images of the Python charm", signal, async () => void (await adopt(adoption)));
  await lookAtPublished(first, request, context);
  const artifacts: Artifact[] = [];
  let failure: Error | null = null;
  const left = request.kind === "copy" ? await copyImages() : request.images;
  if (left.length > 0) await buildImages(left, await prepare());
  if (artifacts.length > 0) await publishAndPrune({ request, artifacts, openTargets, context }, deps, tidy);
  return failure;

  function fail(image: string, error: unknown): void {
    failure ??= asError(error);
    deps.journal.add({ event: "image-failed", image, error: describe(error), ...advice(error) });
  }

  async function prepare(): Promise<Prepared & { readonly room: number }> {
    const server = await chooseServer();
    const securityGroupId = await prepareSecurityGroup();
    return { cloud, openTargets, ...server, securityGroupId, ...(await fetchInputs()) };
  }

  /** Copies what there is; gives the images that nobody has. */
  async function copyImages(): Promise<readonly ImageSpec[]> {
    const missing: ImageSpec[] = [];
    await eachImage(request.images, request.parallelImages, async (spec) => {
      const imageContext = contextOf(spec, deps, signal);
      await using scope = scopeOf(imageContext);
      const common = { request, spec, context: imageContext, scope };
      const copied = await copyImage(common, open, openTargets);
      if (copied === null) missing.push(spec);
      return copied;
    });
    return missing;
  }

  async function buildImages(
    specs: readonly ImageSpec[],
    prepared: Prepared & { readonly room: number },
  ): Promise<void> {
    const most = Math.min(request.parallelImages, prepared.room);
    await eachImage(specs, most, async (spec) => await buildImage(spec, request, prepared, deps, signal));
  }

  async function eachImage(
    specs: readonly ImageSpec[],
    most: number,
    work: (spec: ImageSpec) => Promise<Copied | null>,
  ): Promise<void> {
    await mapLimit(specs, most, async (spec) => {
      try {
        const copied = await work(spec);
        artifacts.push(...(copied?.artifacts ?? []));
        if (copied !== null && copied.failed !== null) fail(specName(spec), copied.failed);
      } catch (error) {
        if (!(error instanceof CancelledError)) fail(specName(spec), error);
      }
    });
    signal.throwIfAborted();
  }

  async function prepareSecurityGroup(): Promise<string> {
    return await step(context, FIRST_MADE, limitsWith(request.limits).choose, async (limit) =>
      ensureSecurityGroup(cloud, request.owner, { signal: limit }),
    );
  }

  /** Flavor and network of the builders, and how many of them the quota has room for. */
  async function chooseServer(): Promise<Pick<Prepared, "flavorId" | "networkId"> & { room: number }> {
    return await step(
      context,
      "choose flavor and network",
      limitsWith(request.limits).choose,
      async (limit) => {
        const call = { signal: limit };
        const [flavors, networks, limits] = await Promise.all([
          listFlavors(cloud, call),
          listNetworks(cloud, call),
          readComputeLimits(cloud, call),
        ]);
        const flavor = chooseFlavor(flavors, request.flavor);
        const network = chooseNetwork(networks, request.network);
        const builders = roomForBuilders(limits, flavor);
        if (builders < Math.min(request.parallelImages, request.images.length))
          deps.log.warn({ builders }, "the quota has room for fewer builders at a time than wanted");
        return { flavorId: flavor.id, networkId: network.id, room: builders };
      },
    );
  }

  async function openTargets(limit: AbortSignal): Promise<Targets> {
    const names = (await deps.cloudNames()).filter(
      (name) => name !== request.buildCloud && (request.targets?.includes(name) ?? true),
    );
    const results = await mapLimit(names, 8, async (name) => open(name, limit));
    limit.throwIfAborted();
    return {
      names,
      clouds: results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])),
      failures: results.flatMap((result, index) =>
        result.status === "rejected"
          ? [{ cloud: names[index] as string, error: describe(result.reason) }]
          : [],
      ),
    };
  }

  // tidying up is worth no build: what one cloud refuses is noted, and the others go on
  async function tidy(what: string, limit: AbortSignal, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      limit.throwIfAborted();
      deps.journal.add({ event: "leftover", what, error: describe(error) });
    }
  }

  async function fetchInputs(): Promise<Pick<Prepared, "runnerVersion" | "script">> {
    return await step(context, "fetch the inputs", limitsWith(request.limits).choose, async (limit) => {
      const { runnerVersion, runnerMirror } = request.recipe;
      const version = await resolveRunnerVersion(runnerVersion, runnerMirror, limit);
      deps.journal.add({ event: "found", image: "", what: FOUND.runner, value: version });
      const newest = runnerVersion === version ? await newestRunner(runnerMirror, limit) : null;
      if (newest !== null)
        deps.journal.add({ event: "found", image: "", what: FOUND.newestRunner, value: newest });
      if (request.script === null) return { runnerVersion: version, script: null };
      return {
        runnerVersion: version,
        script: { text: await fetchScript(request.script, limit), secrets: secrets.script },
      };
    });
  }
}
