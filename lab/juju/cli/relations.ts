/** The stand-alone fake's commands about relations. */
import type { Endpoint } from "../charm.ts";
import { writeYaml } from "../yaml.ts";
import { pairs, settled, text, value, words, type AdminCommands } from "./line.ts";

/** Relations, and applications without a charm at their other end. */
export const relationCommands: AdminCommands = {
  scripted: {
    usage: "NAME ENDPOINT:INTERFACE:ROLE [--units N]",
    flags: [text("units", "n")],
    run: async (juju, line) => {
      const [name = "", spec = ""] = words(line, "a name", "an endpoint");
      const [endpoint = "", type = "", role = "requires"] = spec.split(":");
      const endpoints = { [endpoint]: { interface: type, role: role as Endpoint["role"] } };
      juju.addScriptedApplication(name, { endpoints, units: Number(value(line, "units") ?? 1) });
      return "";
    },
  },
  relate: {
    usage: "APP:ENDPOINT APP:ENDPOINT",
    run: async (juju, line) => {
      const [a = "", b = ""] = words(line, "an endpoint", "a second endpoint");
      return await settled(juju, String(await juju.relate(a, b)));
    },
  },
  "remove-relation": {
    usage: "ID",
    run: async (juju, line) => {
      await juju.removeRelation(Number(words(line, "a relation's id")[0]));
      return await settled(juju, "");
    },
  },
  "set-data": {
    usage: "RELATION-ID UNIT k=v...",
    run: async (juju, line) => {
      const [id = "", unit = ""] = words(line, "a relation's id", "a unit");
      juju.setUnitData(Number(id), unit, pairs(line.parameters.slice(2)));
      return await settled(juju, "");
    },
  },
  data: {
    usage: "RELATION-ID UNIT",
    run: async (juju, line) => {
      const [id = "", unit = ""] = words(line, "a relation's id", "a unit");
      return writeYaml(juju.unitData(Number(id), unit));
    },
  },
};
