/** The relation `cos-agent`: who collects metrics and logs on this machine, and what we offer it. */
import type { Paths } from "../../build/paths.ts";
import { isHookFailure, type Relation, type Settings, type Unit } from "../../juju/index.ts";

/** Name of the endpoint. */
export const COS_AGENT = "cos-agent";

/** One relation with an agent. */
export interface Agent {
  readonly relation: Relation;
  /** Our databag; null before the agent's unit is there, when Juju has none of ours yet. */
  readonly bag: Settings | null;
}

/** The agents, and where metrics are served for them. */
export interface Collection {
  readonly agents: readonly Agent[];
  /** Null where metrics are not served. */
  readonly port: number | null;
  /** A sentence for the operator when they should be and cannot; null when all is well. */
  readonly problem: string | null;
}

/** Reads the relations, and chooses the port from `firstPort` on (0: none) where there is an agent. Changes nothing. */
export async function readCollection(
  unit: Unit,
  paths: Paths,
  firstPort: number,
  path: string,
): Promise<Collection> {
  const relations = await unit.relations(COS_AGENT);
  const agents = await Promise.all(
    relations.map(async (relation) => ({ relation, bag: await ourBag(relation) })),
  );
  if (agents.length === 0 || firstPort === 0) return { agents, port: null, problem: null };
  const { choosePort, PORT_LIMIT, PORTS } = await import("./observe.ts");
  const port = await choosePort(paths, firstPort, path);
  if (port !== "taken") return { agents, port, problem: null };
  const last = Math.min(firstPort + PORTS, PORT_LIMIT) - 1;
  const which = last === firstPort ? `port ${firstPort} is` : `ports ${firstPort} to ${last} are`;
  const problem = `metrics-port: ${which} taken on this machine; set it to another one, or to 0 for none`;
  return { agents, port: null, problem };
}

async function ourBag(relation: Relation): Promise<Settings | null> {
  try {
    return await relation.ourUnitData();
  } catch (error) {
    // the agent is a subordinate: until its unit is there, ours is not in the relation's scope
    if (isHookFailure(error, "settings-not-found")) return null;
    throw error;
  }
}
