/** The evidence that states of copies are told by, from the files that the charm and the operator's commands write. */
import { dirname, join } from "node:path";
import { PINS_FILE, readPins } from "../pins.ts";
import { readPublished } from "../steps/prune.ts";
import type { Evidence } from "./states.ts";

/**
 * What is published and pinned at this moment. Read it after the images are listed, and never keep it: an operator may
 * pin while a cloud is asked. Null where the charm has recorded nothing.
 */
export async function readEvidence(publishedFile: string): Promise<Evidence | null> {
  const published = await readPublished(publishedFile);
  if (published === null) return null;
  const { pins } = await readPins(join(dirname(publishedFile), PINS_FILE));
  return { published, pinned: new Set(pins.map(({ buildId }) => buildId)) };
}

/** Nothing is published and nothing pinned. */
export const NO_EVIDENCE: Evidence = { published: new Set(), pinned: new Set() };
