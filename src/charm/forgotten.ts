/** Images that count as gone: those brought to a cloud before it departed. */
import * as v from "valibot";
import { readOptional } from "../base/files.ts";
import type { Artifact } from "../build/types.ts";

/** By the cloud's name: when its images were removed (ISO 8601). */
export type Forgotten = ReadonlyMap<string, string>;

const schema = v.record(v.string(), v.string());

/** What `json` says; nothing when it is none. */
export function parseForgotten(json: string | undefined): Forgotten {
  if (json === undefined) return new Map();
  try {
    const result = v.safeParse(schema, JSON.parse(json));
    return new Map(result.success ? Object.entries(result.output) : []);
  } catch (error) {
    if (error instanceof SyntaxError) return new Map();
    throw error;
  }
}

/** What the file at `path` says. */
export async function readForgotten(path: string): Promise<Forgotten> {
  return parseForgotten(await readOptional(path));
}

/** Both together; of one cloud the later time counts. */
export function bothForgotten(a: Forgotten, b: Forgotten): Forgotten {
  const result = new Map(a);
  for (const [cloud, since] of b) if (since > (result.get(cloud) ?? "")) result.set(cloud, since);
  return result;
}

/** Whether `artifact` was removed with all others of its cloud. */
export function isForgotten(
  forgotten: Forgotten,
  { cloud, createdAt }: Pick<Artifact, "cloud" | "createdAt">,
): boolean {
  return createdAt < (forgotten.get(cloud) ?? "");
}
