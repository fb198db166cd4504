/** What is measured: the public names, with their labels and what they mean (docs/reference/metrics.md). */

/** A family of metrics; every sample has the label `unit` beside `labels`. */
export interface Family {
  readonly type: "gauge" | "counter";
  /** A sentence for people. */
  readonly help: string;
  readonly labels: readonly string[];
}

/** Beginning of all names. */
export const PREFIX = "github_runner_image_builder_";

/**
 * All families by their name without {@link PREFIX}. Times are Unix times, not ages: they stay true in a file that is
 * not written again. Names follow Prometheus's practice (https://prometheus.io/docs/practices/naming/).
 */
export const FAMILIES = {
  info: {
    type: "gauge",
    help: "Always 1; the version of the charm, and whether the unit is the leader, which builds.",
    labels: ["version", "leader"],
  },
  builds_total: {
    type: "counter",
    help: "Builds that ended.",
    labels: ["kind", "outcome"],
  },
  last_success_timestamp_seconds: {
    type: "gauge",
    help: "When the last good build ended. Copies to other clouds are no builds.",
    labels: [],
  },
  last_failure_timestamp_seconds: {
    type: "gauge",
    help: "When the last build ended that failed or was interrupted.",
    labels: [],
  },
  failures_in_a_row: {
    type: "gauge",
    help: "Builds that failed or were interrupted since the last good one.",
    labels: [],
  },
  last_build_outcome: {
    type: "gauge",
    help: "1 for how the newest build ended, 0 for the other outcomes.",
    labels: ["outcome"],
  },
  last_build_duration_seconds: {
    type: "gauge",
    help: "How long the newest build took that ended.",
    labels: [],
  },
  last_build_phase_seconds: {
    type: "gauge",
    help: "How long each of its phases took; image is empty for phases that all images share.",
    labels: ["image", "phase"],
  },
  last_build_leftovers: {
    type: "gauge",
    help: "Things in clouds that it could not delete.",
    labels: [],
  },
  running_build_start_timestamp_seconds: {
    type: "gauge",
    help: "When the build began that runs. Absent while none runs.",
    labels: [],
  },
  build_limit_seconds: {
    type: "gauge",
    help: "The time limit of a whole build.",
    labels: [],
  },
  next_build_timestamp_seconds: {
    type: "gauge",
    help: "When the schedule fires next.",
    labels: [],
  },
  build_interval_seconds: {
    type: "gauge",
    help: "The longest time between two scheduled builds.",
    labels: [],
  },
  published_image_info: {
    type: "gauge",
    help: "Always 1; a published image. runner_version and base_serial are empty where the unit does not know them.",
    labels: ["image", "cloud", "id", "runner_version", "base_serial"],
  },
  published_image_created_timestamp_seconds: {
    type: "gauge",
    help: "When the content of a published image was built.",
    labels: ["image", "cloud"],
  },
  published_image_size_bytes: {
    type: "gauge",
    help: "Size of a published image.",
    labels: ["image", "cloud"],
  },
  published_image_found: {
    type: "gauge",
    help: "Whether a published image was there, active, when the last build began: 1, else 0.",
    labels: ["image", "cloud"],
  },
  published_image_base_timestamp_seconds: {
    type: "gauge",
    help: "The day, from its serial, of the base image that a published image was made from.",
    labels: ["image", "cloud"],
  },
  published_image_newer_runner_timestamp_seconds: {
    type: "gauge",
    help: "When a newer runner than that of a published image was seen first. Absent while there is none.",
    labels: ["image", "cloud"],
  },
  upload_last_success_timestamp_seconds: {
    type: "gauge",
    help: "When a cloud got an image last.",
    labels: ["cloud"],
  },
  upload_last_failure_timestamp_seconds: {
    type: "gauge",
    help: "When a cloud should have got an image last and did not.",
    labels: ["cloud"],
  },
  orphans_reaped_total: {
    type: "counter",
    help: "Things that dead builds had left in clouds, deleted by later builds.",
    labels: ["kind"],
  },
} as const satisfies Readonly<Record<string, Family>>;

/** The name of a family without {@link PREFIX}. */
export type FamilyName = keyof typeof FAMILIES;
/** The labels of a family's samples. */
export type Labels<Name extends FamilyName> = Readonly<
  Record<(typeof FAMILIES)[Name]["labels"][number], string>
>;

/** One sample. */
export interface Sample {
  readonly family: FamilyName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A sample with all labels of its family. */
export function sample<Name extends FamilyName>(family: Name, labels: Labels<Name>, value: number): Sample {
  return { family, labels, value };
}
