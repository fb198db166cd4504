/** `network-get`, `unit-get` (contract 3.2). */
import { CommandFailure, UsageFailure } from "../failures.ts";
import { atMost, formatOf, noFlags, relationFlag, type Command } from "./command.ts";

const FLAGS = ["bind-address", "ingress-address", "egress-subnets", "primary-address"] as const;

const networkGet: Command = {
  flags: (_, context) => [
    relationFlag(context),
    ...FLAGS.map((name) => ({ names: [name], kind: "bool" }) as const),
  ],
  output: "smart",
  run: (call) => {
    const [binding] = call.line.parameters;
    if (binding === undefined) throw new UsageFailure("no arguments specified");
    if (binding === "") throw new UsageFailure("no binding name specified");
    atMost(call, 1);
    const { application, address } = call.unit;
    const known = application.endpoints.has(binding) || call.unit.charm?.extraBindings.includes(binding);
    if (known !== true) throw new CommandFailure(`no network config found for binding "${binding}"`);
    const asked = FLAGS.filter((name) => call.line.flags.has(name));
    if (asked.includes("primary-address") && asked.length > 1)
      throw new CommandFailure("--primary-address must be the only flag specified");
    const parts = {
      "bind-address": address,
      "egress-subnets": [`${address}/32`],
      "ingress-address": address,
      "primary-address": address,
    };
    const [only] = asked;
    if (only === undefined) return everything(address, formatOf(call, "smart") === "json");
    return asked.length === 1 ? parts[only] : Object.fromEntries(asked.map((name) => [name, parts[name]]));
  },
};

/** The whole answer; YAML has some names twice, for charms of old. */
function everything(address: string, json: boolean): unknown {
  const cidr = `${address.replace(/\.\d+$/, ".0")}/24`;
  const shown = { hostname: "", value: address, cidr, ...(json ? {} : { address }) };
  const names = { "mac-address": "", "interface-name": "" };
  return {
    "bind-addresses": [
      { ...names, ...(json ? {} : { macaddress: "", interfacename: "" }), addresses: [shown] },
    ],
    "egress-subnets": [`${address}/32`],
    "ingress-addresses": [address],
  };
}

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

/** The commands about addresses. */
export const networkCommands: Readonly<Record<string, Command>> = {
  "network-get": networkGet,
  "unit-get": unitGet,
};
