/** Everything that can be measured, of one unit with two images in two clouds. */
import type { Observed, PublishedImage } from "../../src/build/metrics/collect.ts";
import { EMPTY, type Ledger } from "../../src/build/metrics/ledger.ts";

/** Noon of this day is "now" in tests of metrics. */
export const NOW = new Date("2026-11-24T12:00:00.000Z");
/** The build that made the published content. */
export const REVISION = "20261124t080000000-3f9a";

/** A ledger with something in each place. */
export const LEDGER: Ledger = {
  ...EMPTY,
  counted: [REVISION],
  builds: { "build done": 7, "build failed": 2, "copy done": 1 },
  reaped: { server: 2, "key pair": 1 },
  lastSuccess: "2026-11-24T08:40:00.000Z",
  lastFailure: "2026-11-23T20:10:00.000Z",
  failuresInARow: 0,
  last: {
    outcome: "done",
    ms: 2_400_000,
    phases: [
      { image: "", phase: "fetch the inputs", ms: 900 },
      { image: "noble-x64", phase: "run cloud-init", ms: 1_200_000 },
      { image: "jammy-x64", phase: "run cloud-init", ms: 1_100_000 },
      { image: "noble-x64", phase: "upload the image", ms: 300_000 },
    ],
    leftovers: 0,
  },
  uploads: {
    "runners-1a2b3c4d": { success: "2026-11-24T08:38:00.000Z", failure: null },
    "other-5e6f7a8b": { success: "2026-11-24T08:39:00.000Z", failure: "2026-11-23T20:10:00.000Z" },
  },
  look: { found: ["id-noble-runners", "id-jammy-runners", "id-noble-other"], missing: ["id-jammy-other"] },
  revisions: {
    [REVISION]: { runner: "2.330.0", serials: { "noble-x64": "20261120.1", "jammy-x64": "20261119" } },
  },
  runners: { "2.330.0": "2026-11-01T00:00:00.000Z", "2.331.0": "2026-11-20T00:00:00.000Z" },
};

function published(image: string, cloud: string): PublishedImage {
  const id = `id-${image.split("-")[0]}-${cloud.split("-")[0]}`;
  const made = { buildId: REVISION, createdAt: "2026-11-24T08:38:00.000Z", sizeBytes: 2_900_000_000 };
  return { image, cloud, id, made };
}

/** What a leader with {@link LEDGER} observes while a build runs. */
export const OBSERVED: Observed = {
  version: "1.2.3",
  isLeader: true,
  ledger: LEDGER,
  runningSince: "2026-11-24T11:50:00.000Z",
  limitMs: 21_600_000,
  ticks: { kind: "interval", intervalHours: 6, minute: 20, hour: 3 },
  published: ["noble-x64", "jammy-x64"].flatMap((image) =>
    ["runners-1a2b3c4d", "other-5e6f7a8b"].map((cloud) => published(image, cloud)),
  ),
  clouds: ["runners-1a2b3c4d", "other-5e6f7a8b"],
};
