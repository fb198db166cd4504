/** From facts to samples. */
import type { Ticks } from "../ticks.ts";
import { longestGap, nextTick } from "../ticks.ts";
import { machineClock } from "../cron-times.ts";
import { sample, type Sample } from "./families.ts";
import { OUTCOMES, type Ledger } from "./ledger.ts";
import { BUILD_KINDS } from "../types.ts";

/** An image that stands in a databag. */
export interface PublishedImage {
  /** Such as `noble-x64`. */
  readonly image: string;
  /** Name of its cloud in clouds.yaml. */
  readonly cloud: string;
  readonly id: string;
  /** What is known of it; null where another revision of the charm published it. */
  readonly made: {
    /** The build that made the content. */
    readonly buildId: string;
    readonly createdAt: string;
    readonly sizeBytes: number;
  } | null;
}

/** All that is measured. */
export interface Observed {
  readonly version: string;
  readonly isLeader: boolean;
  readonly ledger: Ledger;
  /** ISO time; null while no build runs. */
  readonly runningSince: string | null;
  /** The limit of a whole build in milliseconds. */
  readonly limitMs: number;
  /** Null where nothing can fire the schedule. */
  readonly ticks: Ticks | null;
  readonly published: readonly PublishedImage[];
  /** Clouds that uploads are told of. */
  readonly clouds: readonly string[];
}

/** The samples of `observed`, at `now`. */
export function samplesOf(observed: Observed, now: Date): readonly Sample[] {
  const { version, isLeader, ledger, runningSince, limitMs, ticks } = observed;
  const next = ticks === null ? null : nextTick(ticks, now, machineClock);
  const gap = ticks === null ? null : longestGap(ticks, now, machineClock);
  return [
    sample("info", { version, leader: String(isLeader) }, 1),
    ...buildSamples(ledger),
    ...at("running_build_start_timestamp_seconds", runningSince),
    sample("build_limit_seconds", {}, limitMs / 1000),
    ...(next === null ? [] : [sample("next_build_timestamp_seconds", {}, next.getTime() / 1000)]),
    ...(gap === null ? [] : [sample("build_interval_seconds", {}, gap / 1000)]),
    ...observed.published.flatMap((image) => imageSamples(image, ledger)),
    ...observed.clouds.flatMap((cloud) => uploadSamples(cloud, ledger)),
    ...Object.entries(ledger.reaped).map(([kind, count]) => sample("orphans_reaped_total", { kind }, count)),
  ];
}

function buildSamples({ builds, lastSuccess, lastFailure, failuresInARow, last }: Ledger): readonly Sample[] {
  return [
    // from the first scrape on, so that the first build of a kind is an increase
    ...BUILD_KINDS.flatMap((kind) =>
      OUTCOMES.map((outcome) => sample("builds_total", { kind, outcome }, builds[`${kind} ${outcome}`] ?? 0)),
    ),
    ...at("last_success_timestamp_seconds", lastSuccess),
    ...at("last_failure_timestamp_seconds", lastFailure),
    sample("failures_in_a_row", {}, failuresInARow),
    ...(last === null
      ? []
      : [
          ...OUTCOMES.map((outcome) =>
            sample("last_build_outcome", { outcome }, outcome === last.outcome ? 1 : 0),
          ),
          ...(last.ms === null ? [] : [sample("last_build_duration_seconds", {}, last.ms / 1000)]),
          ...last.phases.map(({ image, phase, ms }) =>
            sample("last_build_phase_seconds", { image, phase }, ms / 1000),
          ),
          sample("last_build_leftovers", {}, last.leftovers),
        ]),
  ];
}

type TimeFamily =
  | "last_success_timestamp_seconds"
  | "last_failure_timestamp_seconds"
  | "running_build_start_timestamp_seconds";

function at(family: TimeFamily, time: string | null): readonly Sample[] {
  return time === null ? [] : [sample(family, {}, unixOf(time))];
}

function imageSamples({ image, cloud, id, made }: PublishedImage, ledger: Ledger): readonly Sample[] {
  const labels = { image, cloud };
  const revision = made === null ? undefined : ledger.revisions[made.buildId];
  const runner = revision?.runner ?? "";
  const serial = revision?.serials[image] ?? "";
  const newer = runner === "" ? null : newerRunner(runner, ledger);
  const info = { ...labels, id, runner_version: runner, base_serial: serial };
  const { found, missing } = ledger.look ?? { found: [], missing: [] };
  return [
    sample("published_image_info", info, 1),
    ...(made === null
      ? []
      : [
          sample("published_image_created_timestamp_seconds", labels, contentTime(made)),
          sample("published_image_size_bytes", labels, made.sizeBytes),
        ]),
    ...(found.includes(id) ? [sample("published_image_found", labels, 1)] : []),
    ...(missing.includes(id) ? [sample("published_image_found", labels, 0)] : []),
    ...(serial === "" ? [] : [sample("published_image_base_timestamp_seconds", labels, serialTime(serial))]),
    ...(newer === null
      ? []
      : [sample("published_image_newer_runner_timestamp_seconds", labels, unixOf(newer))]),
  ];
}

function uploadSamples(cloud: string, { uploads }: Ledger): readonly Sample[] {
  const { success, failure } = uploads[cloud] ?? { success: null, failure: null };
  return [
    ...(success === null
      ? []
      : [sample("upload_last_success_timestamp_seconds", { cloud }, unixOf(success))]),
    ...(failure === null
      ? []
      : [sample("upload_last_failure_timestamp_seconds", { cloud }, unixOf(failure))]),
  ];
}

/** When the first runner newer than `version` was seen; null when none was. */
function newerRunner(version: string, { runners }: Ledger): string | null {
  const seen = Object.entries(runners)
    .filter(([other]) => isNewer(other, version))
    .map(([, first]) => first);
  return seen.toSorted()[0] ?? null;
}

function isNewer(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => text.split(".").map(Number)) as [number[], number[]];
  const differs = x.findIndex((part, index) => part !== y[index]);
  return differs >= 0 && (x[differs] ?? 0) > (y[differs] ?? 0);
}

/** A copy is as old as what it is a copy of: its build's id begins with `20261123t195102417`. */
function contentTime({ buildId, createdAt }: NonNullable<PublishedImage["made"]>): number {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)/.exec(buildId) ?? [];
  return Math.floor(unixOf(y === undefined ? createdAt : `${y}-${mo}-${d}T${h}:${mi}:${s}Z`));
}

/** Midnight UTC of the day that a serial such as `20261120.1` names. */
function serialTime(serial: string): number {
  return unixOf(`${serial.slice(0, 4)}-${serial.slice(4, 6)}-${serial.slice(6, 8)}T00:00:00Z`);
}

function unixOf(time: string): number {
  return Date.parse(time) / 1000;
}
