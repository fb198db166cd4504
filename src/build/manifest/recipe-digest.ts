/** One number for all that an image is made from, as far as it is known before the build. */
import { createHash } from "node:crypto";

/** What goes into it; secrets do not. */
export interface RecipeParts {
  /** The user-data, rendered without a build's id: sections, packages, snaps, mirrors, runner version. */
  readonly userData: string;
  /** Hex. */
  readonly baseImageSha256: string;
  /** The operator's script as it was fetched; null without one. */
  readonly script: string | null;
}

/** Hex SHA-256 over the parts: equal for images made from the same things, whenever and wherever. */
export function recipeDigest({ userData, baseImageSha256, script }: RecipeParts): string {
  return createHash("sha256")
    .update(JSON.stringify([userData, baseImageSha256, script]))
    .digest("hex");
}
