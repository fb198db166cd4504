/** One image, from base image to verified copies: the pipeline, readable top to bottom. */
import type { Logger } from "../base/log.ts";
import { describe } from "../base/errors.ts";
import { limitsWith } from "../base/limits.ts";
import { ResourceScope } from "../base/scope.ts";
import type { Cloud } from "../openstack/index.ts";
import { SshError, type Communicator, type SshTarget } from "../ssh/communicator.ts";
import { proxyVariables } from "./cloud-init/proxy.ts";
import { userData } from "./cloud-init/user-data.ts";
import { copyToTargets, type Copied } from "./copy-image.ts";
import type { Journal } from "./journal.ts";
import { recipeDigest } from "./manifest/recipe-digest.ts";
import { FOUND } from "./releases.ts";
import { progressOf, step, type StepContext } from "./step.ts";
import { checkServer } from "./steps/check-server.ts";
import { openGuest } from "./steps/guest.ts";
import { launchBuilder, loginTo, registerKeyPair } from "./steps/launch-builder.ts";
import { writeManifest } from "./steps/manifest.ts";
import { prepareBaseImage } from "./steps/prepare-base-image.ts";
import { awaitCloudInit, cleanGuest, deliverProxy, runScript } from "./steps/provision.ts";
import { snapshot, stopBuilder } from "./steps/snapshot.ts";
import { TAG } from "./names.ts";
import { specName, type BuildRequest, type ImageSpec } from "./types.ts";

/** What the pipeline takes from outside; all the injection there is. */
export interface BuildDeps {
  /** Signs in to a cloud of the request's clouds.yaml; the build closes it. */
  readonly openCloud: (name: string, signal: AbortSignal) => Promise<Cloud>;
  /** One attempt to log in to a guest. */
  readonly connect: (target: SshTarget, signal: AbortSignal) => Promise<Communicator>;
  /** Folder for base images on their way to the build cloud. */
  readonly downloads: string;
  /** The build's folder, which gets the manifests. */
  readonly folder: string;
  readonly log: Logger;
  readonly journal: Journal;
}

/** A cloud that got nothing, and a sentence about why. */
export interface FailedTarget {
  readonly cloud: string;
  readonly error: string;
}

/** The clouds that get a copy. `failures` holds those that let nobody in. */
export interface Targets {
  /** All that were to be reached. */
  readonly names: readonly string[];
  readonly clouds: readonly Cloud[];
  readonly failures: readonly FailedTarget[];
}

/** What all images of a build share, made once before the first one. */
export interface Prepared {
  readonly cloud: Cloud;
  /** Signs in to all clouds that are targets at this moment; see {@link Targets}. */
  readonly openTargets: (signal: AbortSignal) => Promise<Targets>;
  readonly flavorId: string;
  readonly networkId: string;
  readonly securityGroupId: string;
  readonly runnerVersion: string;
  readonly script: { readonly text: string; readonly secrets: Readonly<Record<string, string>> } | null;
}

/** The context of `spec`'s steps. */
export function contextOf(spec: ImageSpec, deps: BuildDeps, signal: AbortSignal): StepContext {
  const image = specName(spec);
  return { image, log: deps.log.child({ image }), journal: deps.journal, signal };
}

/** Holds the undos of one image's steps; what they cannot delete is journalled. */
export function scopeOf({ log, journal }: StepContext): ResourceScope {
  return new ResourceScope(log, (what, error) =>
    journal.add({ event: "leftover", what, error: describe(error) }),
  );
}

/**
 * Builds `spec` and gives its verified copies. Throws when there is none; targets that failed beside good
 * ones are named by the error in `failed`. Whatever happens, the server, the key pair and the snapshot go.
 */
export async function buildImage(
  spec: ImageSpec,
  request: BuildRequest,
  prepared: Prepared,
  deps: BuildDeps,
  signal: AbortSignal,
): Promise<Copied> {
  const context = contextOf(spec, deps, signal);
  const { cloud, flavorId, networkId, securityGroupId, runnerVersion, script } = prepared;
  const { journal, log } = context;
  await using scope = scopeOf(context);

  const base = await ensureBaseImage(spec, request, cloud, deps, context, scope);
  journal.add({ event: "found", image: context.image, what: FOUND.baseImage, value: base.sha256 });

  const common = { cloud, request, spec, context, scope };
  const { builder, keys } = await step(
    context,
    "launch the builder",
    limitsWith(request.limits).launch,
    async (limit) => {
      const keyPair = await registerKeyPair(common, limit);
      const needs = {
        ...common,
        imageId: base.image.id,
        flavorId,
        networkId,
        securityGroupId,
        userData: await userData(spec, request.recipe, runnerVersion, request.id),
      };
      return { builder: await launchBuilder(needs, keyPair.name, limit), keys: keyPair.keys };
    },
  );

  const recipe = recipeDigest({
    userData: await userData(spec, request.recipe, runnerVersion, ""),
    baseImageSha256: base.sha256,
    script: script?.text ?? null,
  });
  const { serial } = await provisionGuest();
  if (serial !== null)
    journal.add({ event: "found", image: context.image, what: FOUND.serial, value: serial });

  const stopped = await step(context, "stop the builder", limitsWith(request.limits).stop, async (limit) =>
    stopBuilder(cloud, builder.server.id, limit),
  );
  const contents = {
    ...(serial === null ? {} : { [TAG.serial]: serial }),
    [TAG.sha256]: base.sha256,
    [TAG.runnerVersion]: runnerVersion,
    [TAG.recipe]: recipe,
    [TAG.created]: new Date().toISOString(),
  };
  const taken = await step(context, "take the snapshot", limitsWith(request.limits).snapshot, async (limit) =>
    snapshot({ ...common, contents }, stopped, limit),
  );
  await builder.discard();
  const source = { cloud, ...taken, revision: request.id };
  return await copyToTargets(source, common, prepared.openTargets);

  /** Gives the base image's serial, as far as anybody knows it. */
  async function provisionGuest(): Promise<{ readonly serial: string | null }> {
    const connectMs = limitsWith(request.limits).connect;
    const logIn = loginTo({ cloud, builder, keys, connect: deps.connect, context });
    await using guest = await step(context, "log in to the builder", connectMs, async (limit) =>
      openGuest(logIn, connectMs, log, limit),
    );
    await step(context, "run cloud-init", limitsWith(request.limits).cloudInit, async (limit) =>
      inGuest(limit, async () => {
        await deliverProxy(guest, request.recipe, limit);
        await awaitCloudInit(guest, request.id, log, limit);
      }),
    );
    if (script !== null) {
      await step(context, "run the script", limitsWith(request.limits).script, async (limit) =>
        inGuest(limit, () =>
          runScript(guest, script.text, { ...proxyVariables(request.recipe), ...script.secrets }, log, limit),
        ),
      );
    }
    const facts = {
      buildId: request.id,
      image: context.image,
      modelUuid: request.owner.modelUuid,
      serial: base.serial,
      baseImageSha256: base.sha256,
      recipeDigest: recipe,
    };
    const known = await step(
      context,
      "read what is inside",
      limitsWith(request.limits).manifest,
      async (limit) => inGuest(limit, () => writeManifest(guest, deps.folder, facts, log, limit)),
    );
    await step(context, "clean the guest", limitsWith(request.limits).clean, async (limit) =>
      inGuest(limit, () => cleanGuest(guest, log, limit)),
    );
    return known;
  }

  // a connection that breaks says little; the server behind it may say more
  async function inGuest<T>(limit: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof SshError) await checkServer(cloud, builder.server.id, limit);
      throw error;
    }
  }
}

/** The step that brings `spec`'s base image into the build cloud; `scope` deletes half of one. */
export async function ensureBaseImage(
  spec: ImageSpec,
  request: BuildRequest,
  cloud: Cloud,
  deps: BuildDeps,
  context: StepContext,
  scope: ResourceScope,
): ReturnType<typeof prepareBaseImage> {
  const name = "prepare the base image";
  return await step(context, name, limitsWith(request.limits).baseImage, async (limit) =>
    prepareBaseImage(
      {
        cloud,
        request,
        spec,
        downloads: deps.downloads,
        context,
        scope,
        onProgress: progressOf(context, name),
      },
      limit,
    ),
  );
}
