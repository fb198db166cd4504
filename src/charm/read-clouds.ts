/** Reading clouds.yaml back; apart from the rest, because no idle hook has a use for a YAML parser. */
import { ConfigError } from "../base/errors.ts";
import { readOptional } from "../base/files.ts";
import { parseCloudsYaml, type CloudAuth } from "../openstack/index.ts";

/** The clouds of the last reconcile, in the clouds.yaml at `path`; none when nobody can read them any more. */
export async function readClouds(path: string): Promise<ReadonlyMap<string, CloudAuth>> {
  const text = await readOptional(path);
  if (text === undefined) return new Map();
  try {
    return parseCloudsYaml(text, path);
  } catch (error) {
    if (error instanceof ConfigError) return new Map();
    throw error;
  }
}
