/** The file that metrics are in: for who serves it, and for node_exporter's textfile collector. */
import { chmod, mkdir } from "node:fs/promises";
import { writeIfChanged } from "../../base/files.ts";
import type { Paths } from "../paths.ts";
import { samplesOf, type Observed } from "./collect.ts";
import { exposition } from "./exposition.ts";

/**
 * Writes the metrics of `unit`, when they differ, to a file that everybody on the machine may read: nothing in them is
 * secret, and who collects them is not root. Folders on the way may be entered, and not listed.
 */
export async function writeMetrics(
  { home, metrics, metricsFile }: Paths,
  unit: string,
  observed: Observed,
  now: Date,
): Promise<void> {
  await mkdir(metrics, { recursive: true, mode: 0o755 });
  await chmod(home, 0o711);
  await chmod(metrics, 0o755);
  await writeIfChanged(metricsFile, exposition(samplesOf(observed, now), { unit }), 0o644);
}
