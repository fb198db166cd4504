/** The charm as a unit has it. */
import { join } from "node:path";
import { unpackCharm } from "../lab/juju/charm-file.ts";
import { bundle, type BundledFile } from "../scripts/bundle/bundle.ts";
import { packCharm } from "../scripts/pack/pack.ts";

/** Packs the charm for this machine, and unpacks it into `folder`/charm as Juju does. */
export async function packedCharm(folder: string): Promise<{
  /** The unpacked charm. */
  readonly packed: string;
  /** Its Node.js. */
  readonly node: string;
  /** The files of its bundles. */
  readonly bundled: readonly BundledFile[];
}> {
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const packed = join(folder, "charm");
  await unpackCharm(await packCharm({ base: "22.04", architecture, folder }), packed);
  return {
    packed,
    node: join(packed, "node/bin/node"),
    bundled: await bundle(join(folder, "dist")),
  };
}
