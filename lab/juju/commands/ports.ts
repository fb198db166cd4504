/** `open-port`, `close-port`, `opened-ports` (contract 3.2). */
import { CommandFailure, UsageFailure } from "../failures.ts";
import type { PortRange } from "../model.ts";
import { atMost, firstValue, type Call, type Command } from "./command.ts";

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
  const range = parsePort(word.toLowerCase());
  for (const name of firstValue(call, "endpoints")?.split(",") ?? [""]) {
    const endpoint = name.trim();
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

/** The commands about ports. */
export const portCommands: Readonly<Record<string, Command>> = {
  "open-port": openPort,
  "close-port": closePort,
  "opened-ports": openedPorts,
};
