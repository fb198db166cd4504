/** Whether a build can work, asked without making anything. */
import { seconds, withDeadline } from "../base/deadline.ts";
import { AppError, describe } from "../base/errors.ts";
import { redact } from "../base/redact.ts";
import {
  listFlavors,
  listNetworks,
  readComputeLimits,
  readImageFormats,
  type Cloud,
} from "../openstack/index.ts";
import { locateBaseImage } from "./base-images.ts";
import { ubuntuKey } from "./base-images/signature.ts";
import { chooseFlavor, chooseNetwork } from "./steps/choose-server.ts";
import { fetchScript } from "./steps/fetch-script.ts";
import { roomForBuilders } from "./steps/quota.ts";
import { resolveRunnerVersion } from "./steps/runner-version.ts";
import { specName, type BuildRequest } from "./types.ts";

/** One question may take this long. */
const LIMIT_MS = seconds(30);
/** What our images are. */
const FORMATS = { disk: "qcow2", container: "bare" } as const;

/** What came of one check. */
export interface Finding {
  readonly outcome: "ok" | "warning" | "failed";
  /** A cloud's name, or `mirrors`. */
  readonly where: string;
  readonly what: string;
  /** What was found, or what is wrong and what to do. */
  readonly text: string;
}

type Check = (signal: AbortSignal) => Promise<string | { readonly warning: string }>;

/** Runs one check to its end; nothing that it meets stops the others. */
export async function check(where: string, what: string, signal: AbortSignal, run: Check): Promise<Finding> {
  try {
    const result = await withDeadline(signal, LIMIT_MS, `${what} of ${where}`, run);
    return typeof result === "string"
      ? { outcome: "ok", where, what, text: result }
      : { outcome: "warning", where, what, text: result.warning };
  } catch (error) {
    signal.throwIfAborted();
    return { outcome: "failed", where, what, text: redact(describe(error)) };
  }
}

/** The checks of a cloud that is signed in; `isBuildCloud`: servers are launched there. */
export async function checkCloud(
  cloud: Cloud,
  request: BuildRequest,
  isBuildCloud: boolean,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const findings = [
    check(cloud.name, "image formats", signal, async (limit) => {
      const formats = await readImageFormats(cloud, { signal: limit });
      const refused = [
        ...(formats.disk.includes(FORMATS.disk) ? [] : [FORMATS.disk]),
        ...(formats.container.includes(FORMATS.container) ? [] : [FORMATS.container]),
      ];
      if (refused.length > 0)
        throw new AppError(`its Glance takes no ${refused.join(" and no ")}; allow them`);
      return `${FORMATS.disk} and ${FORMATS.container} are taken`;
    }),
  ];
  if (isBuildCloud) {
    findings.push(
      check(cloud.name, "flavor and quota", signal, async (limit) => {
        const call = { signal: limit };
        const [flavors, limits] = await Promise.all([
          listFlavors(cloud, call),
          readComputeLimits(cloud, call),
        ]);
        const flavor = chooseFlavor(flavors, request.flavor);
        const room = roomForBuilders(limits, flavor);
        const wanted = Math.min(request.parallelImages, request.images.length);
        const text = `flavor ${flavor.name}, room for ${room === Infinity ? "any number of" : room} builders`;
        return room < wanted ? { warning: `${text}, ${wanted} at a time are wanted` } : text;
      }),
      check(cloud.name, "network", signal, async (limit) => {
        const network = chooseNetwork(await listNetworks(cloud, { signal: limit }), request.network);
        return `network ${network.name}`;
      }),
    );
  }
  return await Promise.all(findings);
}

/** The checks of everything that is downloaded. */
export async function checkMirrors(request: BuildRequest, signal: AbortSignal): Promise<readonly Finding[]> {
  const key = await ubuntuKey();
  const { script, recipe } = request;
  return await Promise.all([
    ...request.images.map(
      async (spec) =>
        await check("mirrors", `base image of ${specName(spec)}`, signal, async (limit) => {
          const { serial, sha256, isSigned } = await locateBaseImage(request, spec, key, limit);
          const text = `${serial === null ? "" : `serial ${serial}, `}SHA-256 ${sha256.slice(0, 12)}`;
          return isSigned ? `${text}, signed` : { warning: `${text}, not signed by Ubuntu's key` };
        }),
    ),
    check("mirrors", "runner", signal, async (limit) => {
      return `version ${await resolveRunnerVersion(recipe.runnerVersion, recipe.runnerMirror, limit)}`;
    }),
    ...(script === null
      ? []
      : [
          check("mirrors", "script", signal, async (limit) => {
            const text = await fetchScript(script, limit);
            return `${text.length} characters${script.sha256 === "" ? "" : " with the wanted SHA-256"}`;
          }),
        ]),
  ]);
}
