/** What the charm does for a build: publishes what was verified and records it, in files that outlive the builder. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../../../src/base/files.ts";
import { formatPublished } from "../../../src/build/steps/prune.ts";
import type { BuildChanges } from "../../support/one-build.ts";
import type { LabProject } from "../../support/openstack.ts";

/** What is published in `folder`'s application: image id by project. */
export async function readPublications(folder: string): Promise<Map<LabProject, string>> {
  try {
    return new Map(JSON.parse(await readFile(file(folder), "utf8")) as [LabProject, string][]);
  } catch (error) {
    if (isMissing(error)) return new Map();
    throw error;
  }
}

const file = (folder: string): string => join(folder, "publications.json");

/** Publishes `ids`; a project that is not among them keeps what it has. */
export async function publish(folder: string, ids: ReadonlyMap<LabProject, string>): Promise<void> {
  const all = new Map([...(await readPublications(folder)), ...ids]);
  await writeFile(file(folder), JSON.stringify([...all]));
  await writeFile(join(folder, "published.json"), formatPublished([...all.values()]));
}

/** The part of a build's changes that publishes each verified copy when the build asks for it. */
export function publishing(
  folder: string,
  onEvent: BuildChanges["onEvent"] = () => {},
): Pick<BuildChanges, "onEvent" | "publish"> {
  const verified = new Map<LabProject, string>();
  return {
    onEvent: (event, cancel) => {
      if (event.event === "artifact") verified.set(event.cloud as LabProject, event.imageId);
      onEvent(event, cancel);
    },
    publish: async () => {
      await publish(folder, verified);
      return true;
    },
  };
}
