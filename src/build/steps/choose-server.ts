/** Choosing flavor and network for the builder server. */
import { AppError } from "../../base/errors.ts";
import type { Flavor, Network } from "../../openstack/index.ts";
import { BUILDER_MINIMUM } from "../limits.ts";

/** Those called `wanted`, by name or id; where none is, those called so in lower case, which the Python charm made of it. */
function calledSo<T extends { readonly id: string; readonly name: string }>(
  all: readonly T[],
  wanted: string,
): readonly T[] {
  const named = (text: string): readonly T[] => all.filter(({ id, name }) => name === text || id === text);
  const exact = named(wanted);
  return exact.length > 0 ? exact : named(wanted.toLowerCase());
}

/**
 * The flavor called `wanted` (name or id), or the smallest that fits where `wanted` is empty.
 * Throws one sentence that says what was looked for and what there is.
 */
export function chooseFlavor(flavors: readonly Flavor[], wanted: string): Flavor {
  const { vcpus, ramMb, diskGb } = BUILDER_MINIMUM;
  const need = `${vcpus} vCPUs, ${ramMb} MB of memory and ${diskGb} GB of disk`;
  const fits = (flavor: Flavor): boolean =>
    !flavor.disabled && flavor.vcpus >= vcpus && flavor.ramMb >= ramMb && flavor.diskGb >= diskGb;
  if (wanted !== "") {
    const [named] = calledSo(flavors, wanted);
    if (named === undefined) {
      throw new AppError(
        `build-flavor: the build project has no flavor "${wanted}"; it has ${listed(flavors.map(({ name }) => name))}`,
      );
    }
    if (!fits(named)) throw new AppError(`build-flavor: "${wanted}" is too small; a build needs ${need}`);
    return named;
  }
  const [smallest] = flavors
    .filter(fits)
    .toSorted(
      (a, b) => a.vcpus - b.vcpus || a.ramMb - b.ramMb || a.diskGb - b.diskGb || a.name.localeCompare(b.name),
    );
  if (smallest === undefined) {
    throw new AppError(
      `no flavor of the build project has at least ${need}; it has ${listed(flavors.map(({ name }) => name))}`,
    );
  }
  return smallest;
}

/**
 * The network called `wanted` (name or id), or the only usable one where `wanted` is empty.
 * Usable: active, up, with a subnet, not external.
 */
export function chooseNetwork(networks: readonly Network[], wanted: string): Network {
  if (wanted !== "") {
    const named = calledSo(networks, wanted);
    const [only] = named;
    if (only !== undefined && named.length === 1) return only;
    throw new AppError(
      only === undefined
        ? `build-network: the build project has no network "${wanted}"; it has ${listed(networks.map(({ name }) => name))}`
        : `build-network: ${named.length} networks are called "${wanted}"; name one by id: ${listed(named.map(({ id }) => id))}`,
    );
  }
  const usable = networks.filter(
    (network) =>
      network.adminStateUp &&
      network.status === "ACTIVE" &&
      !network.isExternal &&
      network.subnetIds.length > 0,
  );
  const [only] = usable;
  if (only !== undefined && usable.length === 1) return only;
  throw new AppError(
    only === undefined
      ? "the build project has no usable network; create one, or name one in build-network"
      : `the build project has ${usable.length} usable networks; name one in build-network: ${listed(usable.map(({ name }) => name))}`,
  );
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.toSorted().join(", ");
}
