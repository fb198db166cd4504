/** The charms' files: where each application's come from and which ones a unit has. */
import { join } from "node:path";
import type { AgentState } from "../agent-state.ts";
import { readCharm, type Charm } from "../charm.ts";
import { unpackCharm } from "../charm-file.ts";
import { checkBases } from "../charm-files.ts";
import type { Machine } from "../machine.ts";
import { versionOf, type Model, type Unit } from "../model.ts";

/** The files of all charms of a model. */
export interface CharmStore {
  /** The folder of the charm at `source`: itself, or a new one that a `.charm` file was unpacked into. */
  readonly open: (source: string) => Promise<string>;
  /** Reads the charm in a folder; throws when the model's Juju refuses it. */
  readonly read: (source: string) => Promise<Charm>;
  /** Links the application's charm to its units from now on, instead of copying it. */
  readonly link: (application: string) => void;
  /** Brings the application's newest charm to the unit. */
  readonly place: (unit: Unit, agent: AgentState) => Promise<void>;
}

/** The store of `model`, whose units are on `machine`; charm files are unpacked below `directory`. */
export function charmStore(model: Model, machine: Machine, directory: string): CharmStore {
  let unpacked = 0;
  const linked = new Set<string>();
  const placedFiles = new Map<string, ReadonlySet<string>>();
  return {
    async open(source) {
      if (!source.endsWith(".charm")) return source;
      unpacked += 1;
      const folder = join(directory, String(unpacked));
      await unpackCharm(source, folder);
      return folder;
    },
    async read(source) {
      const [major, minor] = versionOf(model);
      if (major >= 4) await checkBases(source);
      return await readCharm(source, [major, minor]);
    },
    link: (application) => void linked.add(application),
    async place(unit, agent) {
      // an upgrade that comes while the files are copied is another one
      const { charm, charmDirectory, charmVersion, name } = unit.application;
      if (charmDirectory === undefined) return;
      const before = placedFiles.get(unit.name) ?? new Set<string>();
      const files = await machine.placeCharm(charmDirectory, agent.charmDirectory, linked.has(name), before);
      placedFiles.set(unit.name, files);
      unit.charm = charm;
      agent.charmPlaced = charmVersion;
    },
  };
}
