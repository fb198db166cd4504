/** Checks of what a state says of the unit itself: config, storage, ports, stored state, numbers. */
import { describe } from "../../src/base/errors.ts";
import { checkConfigValue, type ConfigValue } from "../juju/charm.ts";
import { isAtLeast, type Setting } from "./setting.ts";
import type { Ports, State, Storage } from "./state.ts";

/** Problems of the parts of `state` that are about the unit itself. */
export function unitProblems(setting: Setting, state: State): readonly string[] {
  return [
    ...Object.entries(state.config).flatMap(([name, value]) => optionProblems(setting, name, value)),
    ...storageProblems(setting, state.storages),
    ...portProblems(setting, state.ports),
    ...storedProblems(state.stored),
    ...(Number.isInteger(state.plannedUnits) && state.plannedUnits >= 0
      ? []
      : [`plannedUnits is ${state.plannedUnits}; it is a whole number from 0 on`]),
  ];
}

function optionProblems(setting: Setting, name: string, value: ConfigValue): readonly string[] {
  const option = setting.charm.options.get(name);
  if (option === undefined) return [`config option ${name} is not declared by the charm`];
  if (option.type === "secret" && !isAtLeast(setting, 3, 0)) {
    return [`config option ${name} is a secret, which Juju ${setting.version} does not have`];
  }
  try {
    if (checkConfigValue(name, option.type, value) === value) return [];
  } catch (error) {
    return [`config ${describe(error)}`];
  }
  return [`config option "${name}" expected ${option.type}, got ${JSON.stringify(value)}`];
}

function storageProblems({ charm }: Setting, storages: readonly Storage[]): readonly string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { name, index, location } of storages) {
    const id = `${name}/${index}`;
    if (!charm.storage.has(name)) problems.push(`storage ${name} is not declared by the charm`);
    if (!Number.isInteger(index) || index < 0)
      problems.push(`storage ${id} has an index that is no whole number`);
    if (seen.has(id)) problems.push(`storage ${id} is in the state twice`);
    if (location === "") problems.push(`storage ${id} has no location`);
    seen.add(id);
  }
  return problems;
}

function portProblems({ charm }: Setting, ports: readonly Ports[]): readonly string[] {
  return ports.flatMap((range, index) => {
    const { protocol, from, to, endpoint } = range;
    const name = protocol === "icmp" ? "icmp" : `${from}-${to}/${protocol}`;
    const isRange =
      [from, to].every((port) => Number.isInteger(port) && port >= 1 && port <= 65_535) && from <= to;
    const isFit = protocol === "icmp" ? from === -1 && to === -1 : isRange;
    const clash = ports
      .slice(0, index)
      .some(
        (other) =>
          other.protocol === protocol && other.from <= to && from <= other.to && other.endpoint === endpoint,
      );
    return [
      ...(isFit ? [] : [`ports ${name} are no range of ports`]),
      ...(clash ? [`ports ${name} overlap with others that are open`] : []),
      ...(endpoint === "" || charm.endpoints.has(endpoint)
        ? []
        : [`ports ${name} are open for endpoint ${endpoint}, which the charm does not declare`]),
    ];
  });
}

function storedProblems(stored: State["stored"]): readonly string[] {
  return Object.entries(stored).flatMap(([key, value]) => [
    ...(key === "" || Buffer.byteLength(key) > 256 ? [`stored key "${key}" is not 1 to 256 bytes long`] : []),
    ...(Buffer.byteLength(value) > 65_536 ? [`stored value of "${key}" is longer than 65536 bytes`] : []),
  ]);
}
