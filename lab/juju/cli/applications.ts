/** The stand-alone fake's commands about applications. */
import { resolve } from "node:path";
import type { ConfigValue } from "../charm.ts";
import { pairs, settled, text, value, words, type AdminCommands } from "./line.ts";

/** Deploying, scaling, configuring, refreshing. */
export const applicationCommands: AdminCommands = {
  deploy: {
    usage: "DIR|FILE.charm [NAME] [--units N] [--link] [--trust] [--config k=v]... [--resource NAME=FILE]...",
    flags: [
      text("units", "n"),
      { names: ["link"], kind: "bool" },
      { names: ["trust"], kind: "bool" },
      { names: ["resource"], kind: "list" },
      { names: ["config"], kind: "list" },
    ],
    run: async (juju, line, cwd) => {
      const [directory = ""] = words(line, "the charm's folder or file");
      const charm = resolve(cwd, directory);
      const name = line.parameters[1] ?? charm.replace(/^.*\//, "").replace(/_[^_]*\.charm$/, "");
      await juju.deploy(name, {
        charm,
        units: Number(value(line, "units") ?? 1),
        link: line.flags.has("link"),
        trust: line.flags.has("trust"),
        resources: Object.fromEntries(
          Object.entries(pairs(line.values.get("resource") ?? [])).map(([resource, file]) => [
            resource,
            resolve(cwd, file),
          ]),
        ),
        config: pairs(line.values.get("config") ?? []),
      });
      return await settled(juju, name);
    },
  },
  "add-unit": {
    usage: "APP [COUNT]",
    run: async (juju, line) => {
      const [name = ""] = words(line, "an application");
      await juju.addUnits(name, Number(line.parameters[1] ?? 1));
      return await settled(juju, "");
    },
  },
  config: {
    usage: "APP k=v...",
    run: async (juju, line) => {
      const [name = ""] = words(line, "an application");
      const options: Record<string, ConfigValue> = pairs(line.parameters.slice(1));
      await juju.setConfig(name, options);
      return await settled(juju, "");
    },
  },
  "reset-config": {
    usage: "APP OPTION...",
    run: async (juju, line) => {
      const [name = ""] = words(line, "an application");
      await juju.resetConfig(name, line.parameters.slice(1));
      return await settled(juju, "");
    },
  },
  trust: {
    usage: "APP",
    run: async (juju, line) => {
      const [name = ""] = words(line, "an application");
      juju.trust(name);
      return await settled(juju, "");
    },
  },
  "attach-resource": {
    usage: "APP NAME FILE",
    run: async (juju, line, cwd) => {
      const [name = "", resource = "", file = ""] = words(line, "an application", "a resource", "a file");
      juju.attachResource(name, resource, resolve(cwd, file));
      return await settled(juju, "");
    },
  },
  "upgrade-charm": {
    usage: "APP DIR|FILE.charm [--force-units]",
    flags: [{ names: ["force-units"], kind: "bool" }],
    run: async (juju, line, cwd) => {
      const [name = "", directory = ""] = words(line, "an application", "a folder or file");
      await juju.upgradeCharm(name, resolve(cwd, directory), { forceUnits: line.flags.has("force-units") });
      return await settled(juju, "");
    },
  },
  "remove-unit": {
    usage: "UNIT",
    run: async (juju, line) => {
      await juju.removeUnit(words(line, "a unit")[0] ?? "");
      return await settled(juju, "");
    },
  },
};
