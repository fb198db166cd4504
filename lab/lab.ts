/** The lab: makes a bare Debian 12 machine into an OpenStack playground. Tests and `npm run lab` use this. */
import { join } from "node:path";
import { hostOf, labCloud, LAB_SOURCE, scriptEnvironment } from "./layout.ts";
import type { LabCloud, LabKind } from "./layout.ts";
import { runScript } from "./script.ts";

export type { LabCloud, LabCredentials, LabKind, LabProject } from "./layout.ts";

/** What {@link labUp} tells while it works, and what ends it early. */
export interface LabUpOptions {
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Brings the cloud `kind` up, whatever state the machine is in: installs packages, fills databases, starts
 * what does not run. Settles when every API answers and servers can be made. Needs root.
 */
export async function labUp(kind: LabKind, options: LabUpOptions): Promise<LabCloud> {
  const script = { env: scriptEnvironment(kind), ...options };
  options.log(`lab ${kind} on ${hostOf(kind)}`);
  await runScript([join(LAB_SOURCE, "openstack/up.sh")], script);
  return labCloud(kind);
}

/** Stops the cloud `kind` with its guests; `wipe` removes its databases, images, disks and logs, too. */
export async function labDown(
  kind: LabKind,
  options: LabUpOptions & { readonly wipe: boolean },
): Promise<void> {
  const script = { env: scriptEnvironment(kind), log: options.log, signal: options.signal };
  await runScript([join(LAB_SOURCE, "openstack/down.sh"), ...(options.wipe ? ["--wipe"] : [])], script);
}
