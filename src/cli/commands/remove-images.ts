/** `image-builder remove-images`: the images in a cloud that no related charm uses any more. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { withDeadline } from "../../base/deadline.ts";
import { ConfigError, describe } from "../../base/errors.ts";
import { readOptional } from "../../base/files.ts";
import { createLogger } from "../../base/log.ts";
import { CREDENTIALS_FILE, forgetDeparture, readDeparture } from "../../build/departures.ts";
import { LIMITS } from "../../base/limits.ts";
import { removeImages } from "../../build/remove-images.ts";
import { readPublished } from "../../build/steps/prune.ts";
import { openCloud, parseCloudsYaml, type Cloud } from "../../openstack/index.ts";
import type { Terminal } from "../program.ts";

/**
 * Removes the images of the departure kept in `options.departure`, and forgets it when none of them is left.
 * Sets exit code 1 when some are.
 */
export async function removeImagesCommand(
  options: { readonly departure: string },
  terminal: Terminal,
): Promise<void> {
  const departure = await readDeparture(options.departure);
  if (departure === null) throw new ConfigError([`there is no departure in ${options.departure}`]);
  const log = createLogger(terminal.stderr, "info");
  using clouds = new DisposableStack();
  const open = async (path: string, name: string, signal: AbortSignal): Promise<Cloud> => {
    const auth = parseCloudsYaml(await readFile(path, "utf8"), path).get(name);
    if (auth === undefined) throw new ConfigError([`${path} has no cloud "${name}"`]);
    return clouds.adopt(await openCloud(name, auth, { signal, log }), (cloud) => cloud.close());
  };
  try {
    await withDeadline(terminal.signal, LIMITS.removal, "removing images", async (signal) => {
      const cloud = await open(join(departure.folder, CREDENTIALS_FILE), departure.cloud, signal);
      // missing when the application was removed after the relation: then no other cloud is in use
      const text = await readOptional(departure.cloudsFile);
      const inUse = text === undefined ? [] : [...parseCloudsYaml(text, departure.cloudsFile)];
      const others: Cloud[] = [];
      for (const [name, auth] of inUse) {
        const isTarget = name !== departure.buildCloud && name !== departure.cloud;
        // an account of another cloud cannot be of the same project
        if (isTarget && sameHost(auth.authUrl, cloud.authUrl))
          others.push(await open(departure.cloudsFile, name, signal));
      }
      const published = (await readPublished(departure.publishedFile)) ?? new Set<string>();
      const result = await removeImages(cloud, others, departure.owner, published, log, { signal });
      log.info({ cloud: cloud.name, ...result }, "removed what no relation uses");
      if (result.published.length === 0) await forgetDeparture(departure);
      else terminal.setExitCode(1);
    });
  } catch (error) {
    log.error({ cloud: departure.cloud, error: describe(error) }, "cannot remove the images");
    terminal.setExitCode(1);
  }
}

function sameHost(a: string, b: string): boolean {
  return URL.canParse(a) && URL.canParse(b) && new URL(a).host === new URL(b).host;
}
