/** From facts to a build request. */
import { hidden, isSecret } from "../build/proxies.ts";
import { newBuildId } from "../build/request.ts";
import type { BuildKind, BuildRequest, ImageSpec, Recipe, Source } from "../build/types.ts";
import type { JujuContext } from "../juju/index.ts";
import { digest, keyedDigest } from "./digest.ts";
import { proxyOf } from "./environment.ts";
import { BUILD_CLOUD, type Facts } from "./facts.ts";

/** The recipe that the options ask for, without the passwords of proxies, which a builder is handed apart. */
function recipeOf(facts: Facts, context: JujuContext): Recipe {
  const { config } = facts;
  return {
    packages: config.packages,
    snaps: config.snaps,
    npmPackages: config.npmPackages,
    runnerVersion: config.runnerVersion,
    runnerMirror: config.runnerMirror,
    aptMirror: config.aptMirror,
    yqMirror: config.yqMirror,
    proxy: hidden(proxyOf(context.proxies)),
  };
}

/** Digest of all that images are made from but secrets; a change makes a build due. */
export function inputsDigest(facts: Facts, context: JujuContext): string {
  const { config, specs } = facts;
  const { passwordSecret: _, ...cloud } = config.cloud;
  return digest([
    specs,
    cloud,
    config.flavor,
    config.network,
    config.baseImageMirror,
    config.baseImageSerial,
    config.requireSignature,
    recipeOf(facts, context),
    config.script === null ? null : [config.script.url, config.script.sha256],
  ]);
}

/** Digest of the script's secrets and the proxies' passwords: apart from {@link inputsDigest}, which other units are told. */
export function secretsDigest(facts: Facts, context: JujuContext): string {
  const proxy = proxyOf(context.proxies);
  const secrets = [facts.scriptSecrets, isSecret(proxy) ? proxy : null];
  return secrets.every((secret) => secret === null) ? "" : keyedDigest(facts.digestKey, secrets);
}

/** Digest of every cloud's address and credentials. */
export function accessDigest(facts: Facts): string {
  const { caCertificates } = facts.config;
  return keyedDigest(facts.digestKey, [...facts.clouds, ...(caCertificates === "" ? [] : [caCertificates])]);
}

/** What a request is to ask for, beside what the options say. */
export interface Order {
  /** Given to a build that was promised before; a new one where the order is started. */
  readonly id?: string;
  readonly kind: BuildKind;
  readonly reason: string;
  /** Absent: all that the options name. */
  readonly images?: readonly ImageSpec[];
  /** Names of clouds; absent or null: all. */
  readonly targets?: readonly string[] | null;
  readonly sources?: readonly Source[];
  /** Absent: the digest of what the options say. */
  readonly inputs?: string;
}

/** A request for a build of `kind`; `jujuExec` is null where nothing can wake the charm, `otherUnits` are our application's. */
export function requestOf(
  facts: Facts,
  context: JujuContext,
  order: Order,
  jujuExec: string | null,
  otherUnits: readonly string[],
  now: Date,
): Omit<BuildRequest, "secretsFile"> {
  const { config, paths, specs } = facts;
  return {
    id: order.id ?? newBuildId(now),
    kind: order.kind,
    inputs: order.inputs ?? inputsDigest(facts, context),
    access: accessDigest(facts),
    secretsDigest: secretsDigest(facts, context),
    reason: order.reason,
    createdAt: now.toISOString(),
    owner: { modelUuid: context.model.uuid, application: context.application, unit: context.unit },
    otherUnits,
    images: order.images ?? specs,
    targets: order.targets ?? null,
    sources: order.sources ?? [],
    cloudsFile: paths.cloudsFile,
    buildCloud: BUILD_CLOUD,
    flavor: config.flavor,
    network: config.network,
    baseImageMirror: config.baseImageMirror,
    baseImageSerial: config.baseImageSerial,
    requireSignature: config.requireSignature,
    parallelImages: config.parallelImages,
    recipe: recipeOf(facts, context),
    script: config.script === null ? null : { url: config.script.url, sha256: config.script.sha256 },
    limits: config.limits,
    keepRevisions: config.keepRevisions,
    publishedFile: paths.publishedFile,
    wake: jujuExec === null ? [] : [jujuExec, context.unit, "JUJU_DISPATCH_PATH=build-changed ./dispatch"],
  };
}
