/** `image-builder list-images` and `prune`: this application's copies in every cloud. */
import { describe } from "../../base/errors.ts";
import { listCopies, type ListedCopy } from "../../build/inventory.ts";
import { deletePrunable, findPrunable } from "../../build/steps/prune.ts";
import { specName } from "../../build/types.ts";
import type { Terminal } from "../program.ts";
import { askClouds, readSite, reportProblems } from "../site.ts";
import { table } from "../table.ts";

/** Writes all copies with their states. Exit code 1 when a cloud could not be asked. */
export async function listImagesCommand(
  options: { readonly request: string; readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const site = await readSite(options.request, terminal);
  const { owner, images } = site.request;
  const answers = await askClouds(
    site,
    site.targets,
    terminal,
    async (cloud, signal) => await listCopies(cloud, owner, images, site.evidence, { signal }),
  );
  const copies = answers.flatMap(({ value }) => value ?? []);
  terminal.stdout.write(options.json ? `${JSON.stringify(copies, null, 2)}\n` : `${imageTable(copies)}\n`);
  reportProblems(answers, terminal);
}

function imageTable(copies: readonly ListedCopy[]): string {
  if (copies.length === 0) return "there are no images yet";
  const rows = copies.map(({ image, cloud, id, state, isPinned, revision, createdAt, sizeBytes }) => [
    image,
    cloud,
    id,
    isPinned ? `${state}, pinned` : state,
    revision,
    `${createdAt.slice(0, 16).replace("T", " ")} UTC`,
    sizeBytes === null ? "" : `${(sizeBytes / 1e6).toFixed(0)} MB`,
  ]);
  return table(["IMAGE", "CLOUD", "ID", "STATE", "REVISION", "CREATED", "SIZE"], rows);
}

/** One superseded copy, and what became of it. */
interface Pruned {
  readonly image: string;
  readonly cloud: string;
  readonly id: string;
  readonly revision: string;
  /** `superseded` in a dry run, `deleted`, or `stays`. */
  readonly outcome: "superseded" | "deleted" | "stays";
  /** Why it stays. */
  readonly reason: string | null;
}

/**
 * Names the copies that the history limit does not keep; with `apply` deletes them. What cannot be deleted is named with
 * the reason and is no failure. Exit code 1 when a cloud could not be asked.
 */
export async function pruneCommand(
  options: { readonly request: string; readonly apply: boolean; readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const site = await readSite(options.request, terminal);
  const { owner, images, keepRevisions: keep } = site.request;
  const answers = await askClouds(site, site.targets, terminal, async (cloud, signal) => {
    const pruned: Pruned[] = [];
    for (const spec of images) {
      const found = await findPrunable(cloud, { owner, spec, keep }, site.evidence, { signal });
      const results = options.apply ? await deletePrunable(cloud, found, { signal }) : found;
      for (const { image, revision, stays } of results) {
        const reason = stays === null ? null : describe(stays);
        const outcome = stays !== null ? "stays" : options.apply ? "deleted" : "superseded";
        pruned.push({ image: specName(spec), cloud: cloud.name, id: image.id, revision, outcome, reason });
      }
    }
    return pruned;
  });
  const pruned = answers.flatMap(({ value }) => value ?? []);
  if (options.json) terminal.stdout.write(`${JSON.stringify(pruned, null, 2)}\n`);
  else if (pruned.length === 0) terminal.stdout.write("there is nothing to prune\n");
  else {
    const rows = pruned.map(({ image, cloud, id, revision, outcome, reason }) => [
      image,
      cloud,
      id,
      revision,
      reason === null ? outcome : `${outcome}: ${reason}`,
    ]);
    terminal.stdout.write(`${table(["IMAGE", "CLOUD", "ID", "REVISION", "OUTCOME"], rows)}\n`);
    if (!options.apply) terminal.stdout.write("nothing was deleted; --apply deletes these\n");
  }
  reportProblems(answers, terminal);
}
