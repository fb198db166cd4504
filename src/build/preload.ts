/** Everything that a build may need of its own program, loaded at its start: Juju replaces the charm under it. */
import { loadOpenStack } from "../openstack/index.ts";
import { loadSsh } from "../ssh/communicator.ts";
import { loadSignatures, ubuntuKey } from "./base-images/signature.ts";
import { loadSections } from "./cloud-init/user-data.ts";
import { loadManifestScript } from "./steps/manifest.ts";
import { loadGuestScripts } from "./steps/provision.ts";

/** After this a build reads no file of its program any more. */
export async function preload(): Promise<void> {
  await Promise.all([
    loadOpenStack(),
    loadSsh(),
    loadSignatures(),
    ubuntuKey(),
    loadSections(),
    loadManifestScript(),
    loadGuestScripts(),
  ]);
}
