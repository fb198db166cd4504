/** `open-port`, `network-get`, `unit-get`, `state-*`, `goal-state`, `juju-reboot` and the like (contract 3.2). */
import { CommandFailure, UsageFailure } from "../failures.ts";
import { otherSide, ownSide, type PortRange } from "../model.ts";
import { readStringMap } from "../yaml.ts";
import {
  atMost,
  firstValue,
  keyValues,
  noFlags,
  readInput,
  relationFlag,
  type Call,
  type Command,
} from "./command.ts";

const ENDPOINTS = { names: ["endpoints"], kind: "string" } as const;

function parsePort(text: string): Omit<PortRange, "endpoint"> {
  if (text === "icmp") return { protocol: "icmp", from: -1, to: -1 };
  const [, first, last = first, protocol = "tcp"] = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp))?$/.exec(text) ?? [];
  if (first === undefined)
    throw new UsageFailure(`invalid port ${JSON.stringify(text)}; expected <port>[/<protocol>]`);
  const [from, to] = [Number(first), Number(last)];
  if (from < 1 || to > 65_535 || from > to) {
    throw new UsageFailure(`invalid port range ${from}-${to}/${protocol}`);
  }
  return { protocol: protocol as "tcp" | "udp", from, to };
}

const showPort = ({ protocol, from, to }: Omit<PortRange, "endpoint">): string =>
  protocol === "icmp" ? "icmp" : `${from === to ? from : `${from}-${to}`}/${protocol}`;

function changePorts(
  call: Call,
  change: (open: readonly PortRange[], range: PortRange) => readonly PortRange[],
): string {
  const [word] = call.line.parameters;
  if (word === undefined) throw new UsageFailure("no port or range specified");
  atMost(call, 1);
  const range = parsePort(word);
  for (const endpoint of firstValue(call, "endpoints")?.split(",") ?? [""]) {
    if (endpoint !== "" && call.unit.application.endpoints.get(endpoint) === undefined) {
      throw new CommandFailure(`cannot open/close port range: unknown endpoint "${endpoint}"`);
    }
    call.context.pending.ports = change(openPorts(call), { ...range, endpoint });
  }
  return "";
}

const openPorts = ({ context, unit }: Call): readonly PortRange[] => context.pending.ports ?? unit.ports;
const samePort = (a: PortRange, b: PortRange): boolean =>
  a.endpoint === b.endpoint && showPort(a) === showPort(b);

const openPort: Command = {
  flags: () => [ENDPOINTS],
  output: "raw",
  run: (call) =>
    changePorts(call, (open, range) => {
      if (open.some((other) => samePort(other, range))) return open;
      const clash = open.find(
        (other) =>
          other.protocol === range.protocol &&
          showPort(other) !== showPort(range) &&
          other.from <= range.to &&
          range.from <= other.to,
      );
      if (clash !== undefined) {
        throw new CommandFailure(
          `cannot open ${showPort(range)} (unit "${call.unit.name}"): port range conflicts with ${showPort(clash)} (unit "${call.unit.name}")`,
        );
      }
      return [...open, range];
    }),
};

const closePort: Command = {
  flags: () => [ENDPOINTS],
  output: "raw",
  run: (call) => changePorts(call, (open, range) => open.filter((other) => !samePort(other, range))),
};

const openedPorts: Command = {
  flags: () => [{ names: ["endpoints"], kind: "bool" }],
  output: "smart",
  run: (call) => {
    atMost(call, 0);
    const shown = openPorts(call).map((range) =>
      call.line.flags.has("endpoints")
        ? `${showPort(range)} (${range.endpoint === "" ? "*" : range.endpoint})`
        : showPort(range),
    );
    return [...new Set(shown)].toSorted();
  },
};

const networkGet: Command = {
  flags: (_, context) => [
    relationFlag(context),
    ...["bind-address", "ingress-address", "egress-subnets", "primary-address"].map(
      (name) => ({ names: [name], kind: "bool" }) as const,
    ),
  ],
  output: "smart",
  run: (call) => {
    const [binding] = call.line.parameters;
    if (binding === undefined) throw new UsageFailure("no arguments specified");
    atMost(call, 1);
    const { application, address } = call.unit;
    const known =
      application.endpoints.has(binding) || application.charm?.extraBindings.includes(binding) === true;
    if (!known) throw new CommandFailure(`no network config found for binding "${binding}"`);
    const parts: Readonly<Record<string, unknown>> = {
      "bind-address": address,
      "egress-subnets": [`${address}/32`],
      "ingress-address": address,
      "primary-address": address,
    };
    const asked = Object.keys(parts).filter((name) => call.line.flags.has(name));
    const [only] = asked;
    if (asked.length === 1 && only !== undefined) return parts[only];
    if (asked.length > 1) return Object.fromEntries(asked.map((name) => [name, parts[name]]));
    const cidr = `${address.replace(/\.\d+$/, ".0")}/24`;
    return {
      "bind-addresses": [
        { "mac-address": "", "interface-name": "", addresses: [{ hostname: "", value: address, cidr }] },
      ],
      "egress-subnets": [`${address}/32`],
      "ingress-addresses": [address],
    };
  },
};

const unitGet: Command = {
  flags: noFlags,
  output: "smart",
  run: (call) => {
    const [name] = call.line.parameters;
    if (name !== "private-address" && name !== "public-address") {
      throw new UsageFailure(
        name === undefined ? "no setting specified" : `unknown setting ${JSON.stringify(name)}`,
      );
    }
    atMost(call, 1);
    return call.unit.address;
  },
};

const stateOf = ({ context, unit }: Call): ReadonlyMap<string, string> => context.pending.state ?? unit.state;

const stateGet: Command = {
  flags: () => [{ names: ["strict"], kind: "bool" }],
  output: "smart",
  run: (call) => {
    atMost(call, 1);
    const [key = "-"] = call.line.parameters;
    const state = stateOf(call);
    if (key === "-") return state.size === 0 ? null : Object.fromEntries(state);
    const value = state.get(key);
    if (value === undefined && call.line.flags.has("strict")) throw new CommandFailure(`"${key}" not found`);
    return value ?? "";
  },
};

const stateSet: Command = {
  flags: () => [{ names: ["file"], kind: "string" }],
  output: "raw",
  run: (call) => {
    const words = keyValues(call.line.parameters, false);
    const file = firstValue(call, "file");
    const changes = new Map([...(file === undefined ? [] : readStringMap(readInput(call, file))), ...words]);
    for (const [key, value] of changes) {
      if (Buffer.byteLength(key) > 256) throw new CommandFailure("max allowed key length exceeded");
      if (Buffer.byteLength(value) > 65_536) throw new CommandFailure("max allowed value length exceeded");
    }
    call.context.pending.state = new Map([...stateOf(call), ...changes]);
    return "";
  },
};

const stateDelete: Command = {
  flags: noFlags,
  output: "raw",
  run: (call) => {
    const [key] = call.line.parameters;
    if (key === undefined) throw new UsageFailure("no key specified");
    atMost(call, 1);
    call.context.pending.state = new Map([...stateOf(call)].filter(([name]) => name !== key));
    return "";
  },
};

const goalState: Command = {
  flags: noFlags,
  output: "yaml",
  run: (call) => {
    const { application } = call.unit;
    const relations: Record<string, Record<string, unknown>> = {};
    for (const relation of call.model.relations.values()) {
      const side = ownSide(relation, application);
      if (side === undefined || relation.sides.length === 1) continue;
      const other = otherSide(relation, application).application;
      const entry = (relations[side.endpoint.name] ??= {});
      entry[other.name] = { status: relation.dying ? "dying" : "joined", since: other.status.since };
      for (const unit of other.units.values())
        entry[unit.name] = goalOf(unit.status.status, unit.dying, unit.status.since);
    }
    const units = [...application.units.values()].map((unit) => [
      unit.name,
      goalOf(unit.status.status, unit.dying, unit.status.since),
    ]);
    return { units: Object.fromEntries(units), relations };
  },
};

const goalOf = (status: string, dying: boolean, since: string): unknown => ({
  status: dying ? "dying" : status,
  since,
});

const jujuReboot: Command = {
  flags: () => [{ names: ["now"], kind: "bool" }],
  output: "raw",
  run: (call) => {
    atMost(call, 0);
    if (call.context.kind === "action")
      throw new CommandFailure("juju-reboot is not supported when running an action.");
    call.context.reboot = call.line.flags.has("now") ? "now" : "after";
    if (call.context.reboot === "now") call.context.stop();
    return "";
  },
};

const credentialGet: Command = {
  flags: noFlags,
  output: "smart",
  run: () => {
    throw new CommandFailure("cannot access cloud credentials: permission denied");
  },
};

const resourceGet: Command = {
  flags: noFlags,
  output: "raw",
  run: (call) => {
    const [name] = call.line.parameters;
    if (name === undefined) throw new UsageFailure("missing required resource name");
    throw new CommandFailure(
      `could not download resource: resource "${call.unit.application.name}/${name}" not found`,
    );
  },
};

const storageList: Command = {
  flags: noFlags,
  output: "smart",
  run: (call) => {
    atMost(call, 1);
    const [name] = call.line.parameters;
    return call.unit.storages
      .map(({ id }) => id)
      .filter((id) => name === undefined || id.replace(/\/.*$/, "") === name)
      .toSorted();
  },
};

const storageGet: Command = {
  flags: () => [{ names: ["s"], kind: "string" }],
  output: "smart",
  run: (call) => {
    atMost(call, 1);
    const id = firstValue(call, "s") ?? call.context.storage?.id;
    if (id === undefined) throw new UsageFailure("no storage instance specified");
    const storage = call.unit.storages.find((one) => one.id === id);
    if (storage === undefined)
      throw new CommandFailure(`invalid value "${id}" for option -s: storage not found`);
    const values: Readonly<Record<string, string>> = { kind: storage.kind, location: storage.location };
    const [key] = call.line.parameters;
    if (key === undefined) return values;
    const value = values[key];
    if (value === undefined) throw new CommandFailure(`invalid storage attribute ${JSON.stringify(key)}`);
    return value;
  },
};

/** The commands about the machine, its ports and network, and the unit's state. */
export const machineCommands: Readonly<Record<string, Command>> = {
  "open-port": openPort,
  "close-port": closePort,
  "opened-ports": openedPorts,
  "network-get": networkGet,
  "unit-get": unitGet,
  "state-get": stateGet,
  "state-set": stateSet,
  "state-delete": stateDelete,
  "goal-state": goalState,
  "juju-reboot": jujuReboot,
  "credential-get": credentialGet,
  "resource-get": resourceGet,
  "storage-list": storageList,
  "storage-get": storageGet,
};
