/** `image-builder reap`: what dead builds left in the clouds. */
import { describe } from "../../base/errors.ts";
import { listBuilds } from "../../build/history.ts";
import { findPythonLeftovers } from "../../build/python-charm/leftovers.ts";
import { findOrphans, reap, type Living } from "../../build/reap.ts";
import type { Terminal } from "../program.ts";
import { askClouds, readSite, reportProblems } from "../site.ts";
import { table } from "../table.ts";

/**
 * Names what dead builds left, with `leaving` also what only a unit that stays needs; with `apply` deletes it. What builds that run have made is not among it. Exit code 1 when
 * a cloud could not be asked.
 */
export async function reapCommand(
  options: {
    readonly request: string;
    readonly apply: boolean;
    readonly leaving: boolean;
    readonly json: boolean;
  },
  terminal: Terminal,
): Promise<void> {
  const site = await readSite(options.request, terminal);
  const { owner, otherUnits } = site.request;
  const living = async (): Promise<Living> => {
    const builds = await listBuilds(site.buildsFolder);
    const alive = builds.filter(({ state }) => state === "running" || state === "queued");
    // what an interrupted build left may still be gone on with: the next build decides
    const resumable = options.leaving ? [] : builds.filter(({ state }) => state === "interrupted").slice(-1);
    return {
      builds: new Set([...alive, ...resumable].map(({ id }) => id)),
      otherUnits,
      isLeaving: options.leaving,
      images: new Set(builds.flatMap(({ artifacts }) => artifacts.map(({ imageId }) => imageId))),
    };
  };
  const answers = await askClouds(site, [...site.clouds.keys()], terminal, async (cloud, signal) => {
    const orphans = [
      ...(await findOrphans(cloud, owner, living, { signal })),
      ...(await findPythonLeftovers(site.request, cloud, { signal })),
    ];
    const failures = options.apply ? await reap(orphans, { signal }) : [];
    return orphans.map((orphan) => {
      const error = failures.find((failure) => failure.orphan === orphan)?.error;
      const outcome = options.apply ? (error === undefined ? "deleted" : "stays") : "left behind";
      const reason = error === undefined ? null : describe(error);
      return { kind: orphan.kind, cloud: cloud.name, id: orphan.id, name: orphan.name, outcome, reason };
    });
  });
  const found = answers.flatMap(({ value }) => value ?? []);
  if (options.json) terminal.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  else if (found.length === 0) terminal.stdout.write("there is nothing to reap\n");
  else {
    const rows = found.map(({ kind, cloud, id, name, outcome, reason }) => [
      kind,
      cloud,
      id,
      name,
      reason === null ? outcome : `${outcome}: ${reason}`,
    ]);
    terminal.stdout.write(`${table(["KIND", "CLOUD", "ID", "NAME", "OUTCOME"], rows)}\n`);
    if (!options.apply) terminal.stdout.write("nothing was deleted; --apply deletes these\n");
  }
  reportProblems(answers, terminal);
}
