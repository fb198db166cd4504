/** The stand-alone fake's commands about units and their machines. */
import { writeYaml } from "../yaml.ts";
import { settled, typed, words, type AdminCommands } from "./line.ts";

/** Tasks, the clock, leadership, machines. */
export const unitCommands: AdminCommands = {
  "run-action": {
    usage: "UNIT ACTION k=v...",
    run: async (juju, line) => {
      const [unit = "", action = ""] = words(line, "a unit", "an action");
      const outcome = await juju.runAction(unit, action, typed(line.parameters.slice(2)));
      return { exit: outcome.status === "completed" ? 0 : 1, stdout: writeYaml({ ...outcome }), stderr: "" };
    },
  },
  "cancel-task": {
    usage: "NUMBER (tasks count from 1)",
    run: async (juju, line) => {
      const [id = ""] = words(line, "a task's number");
      juju.cancelAction(id);
      return "";
    },
  },
  "client-exec": {
    usage: "UNIT COMMANDS (as the client's juju exec)",
    run: async (juju, line) => {
      const [unit = "", commands = ""] = words(line, "a unit", "commands");
      return writeYaml({ ...(await juju.clientExec(unit, commands)) });
    },
  },
  exec: {
    usage: "UNIT COMMANDS (as juju-exec on the machine)",
    run: async (juju, line) => {
      const [unit = "", commands = ""] = words(line, "a unit", "commands");
      return await juju.exec(unit, commands);
    },
  },
  "update-status": {
    usage: "UNIT",
    run: async (juju, line) => {
      await juju.updateStatus(words(line, "a unit")[0] ?? "");
      return await settled(juju, "");
    },
  },
  resolve: {
    usage: "UNIT [--no-retry]",
    flags: [{ names: ["no-retry"], kind: "bool" }],
    run: async (juju, line) => {
      const [unit = ""] = words(line, "a unit");
      await juju.resolve(unit, { retry: !line.flags.has("no-retry") });
      return await settled(juju, "");
    },
  },
  "set-leader": {
    usage: "UNIT",
    run: async (juju, line) => {
      const [unit = ""] = words(line, "a unit");
      juju.setLeader(unit);
      return await settled(juju, "");
    },
  },
  reboot: {
    usage: "UNIT",
    run: async (juju, line) => {
      const [unit = ""] = words(line, "a unit");
      await juju.reboot(unit);
      return await settled(juju, "");
    },
  },
  advance: {
    usage: "SECONDS",
    run: async (juju, line) => {
      const [time = ""] = words(line, "seconds");
      await juju.advance(Number(time) * 1000);
      return await settled(juju, "");
    },
  },
  "set-address": {
    usage: "UNIT ADDRESS",
    run: async (juju, line) => {
      const [unit = "", address = ""] = words(line, "a unit", "an address");
      juju.setAddress(unit, address);
      return await settled(juju, "");
    },
  },
  "add-storage": {
    usage: "UNIT NAME [COUNT]",
    run: async (juju, line) => {
      const [unit = "", name = ""] = words(line, "a unit", "a storage");
      juju.addStorage(unit, name, Number(line.parameters[2] ?? 1));
      return await settled(juju, "");
    },
  },
  "detach-storage": {
    usage: "UNIT ID",
    run: async (juju, line) => {
      const [unit = "", id = ""] = words(line, "a unit", "a storage instance's id");
      juju.detachStorage(unit, id);
      return await settled(juju, "");
    },
  },
  "prepare-series": {
    usage: "UNIT BASE",
    run: async (juju, line) => {
      const [unit = "", base = ""] = words(line, "a unit", "a base");
      juju.prepareSeriesUpgrade(unit, base);
      return await settled(juju, "");
    },
  },
  "complete-series": {
    usage: "UNIT",
    run: async (juju, line) => {
      const [unit = ""] = words(line, "a unit");
      juju.completeSeriesUpgrade(unit);
      return await settled(juju, "");
    },
  },
};
