/** The stand-alone fake's commands about secrets. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { readStringMap } from "../yaml.ts";
import { settled, words, type AdminCommands } from "./line.ts";

/** User secrets, and the due times of a charm's own. */
export const secretCommands: AdminCommands = {
  "add-secret": {
    usage: "FILE (a YAML map of texts)",
    run: async (juju, line, cwd) => {
      const [file = ""] = words(line, "a file");
      return `${juju.addSecret(Object.fromEntries(readStringMap(await readFile(resolve(cwd, file), "utf8"))))}\n`;
    },
  },
  "update-secret": {
    usage: "URI FILE",
    run: async (juju, line, cwd) => {
      const [uri = "", file = ""] = words(line, "a secret", "a file");
      juju.updateSecret(uri, Object.fromEntries(readStringMap(await readFile(resolve(cwd, file), "utf8"))));
      return await settled(juju, "");
    },
  },
  "grant-secret": {
    usage: "URI APP",
    run: async (juju, line) => {
      const [uri = "", name = ""] = words(line, "a secret", "an application");
      juju.grantSecret(uri, name);
      return "";
    },
  },
  "revoke-secret": {
    usage: "URI APP",
    run: async (juju, line) => {
      const [uri = "", name = ""] = words(line, "a secret", "an application");
      juju.revokeSecret(uri, name);
      return "";
    },
  },
  "remove-secret": {
    usage: "URI",
    run: async (juju, line) => {
      const [uri = ""] = words(line, "a secret");
      juju.removeSecret(uri);
      return await settled(juju, "");
    },
  },
  "rotate-secret": {
    usage: "URI",
    run: async (juju, line) => {
      const [uri = ""] = words(line, "a secret");
      juju.rotateSecret(uri);
      return await settled(juju, "");
    },
  },
  "expire-secret": {
    usage: "URI",
    run: async (juju, line) => {
      const [uri = ""] = words(line, "a secret");
      juju.expireSecret(uri);
      return await settled(juju, "");
    },
  },
};
