/** The charms' files: where each application's come from and which ones a unit has. */
import type { AgentState } from "../agent-state.ts";
import { readCharm, type Charm } from "../charm.ts";
import { checkBases, placeCharm } from "../charm-files.ts";
import { versionOf, type Model, type Unit } from "../model.ts";

/** The files of all charms of a model. */
export interface CharmStore {
  /** Reads the charm in a folder; throws when the model's Juju refuses it. */
  readonly read: (source: string) => Promise<Charm>;
  /** Links the application's charm to its units from now on, instead of copying it. */
  readonly link: (application: string) => void;
  /** Brings the application's newest charm to the unit. */
  readonly place: (unit: Unit, agent: AgentState) => Promise<void>;
}

/** The store of `model`. */
export function charmStore(model: Model): CharmStore {
  const linked = new Set<string>();
  const placedFiles = new Map<string, ReadonlySet<string>>();
  return {
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
      const files = await placeCharm(charmDirectory, agent.charmDirectory, linked.has(name), before);
      placedFiles.set(unit.name, files);
      unit.charm = charm;
      agent.charmPlaced = charmVersion;
    },
  };
}
