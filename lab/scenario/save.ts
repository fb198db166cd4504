/** From the fake Juju's model, after the event, to the next state. */
import type { Status as ModelStatus, Databag as ModelBag, Relation as ModelRelation } from "../juju/model.ts";
import { decodeContent, type Secret as ModelSecret } from "../juju/secrets.ts";
import { freezeCopy } from "./freeze.ts";
import type { Loaded } from "./load.ts";
import type { Databag, PeerRelation, Relation, Secret, State, Status } from "./state.ts";

/** Settings that Juju writes into every unit's databag. */
const ADDRESSES = ["egress-subnets", "ingress-address", "private-address"];

/** The state after the run: `before` with what the charm has changed. What others own is as it was. */
export function saveState({ model, unit }: Loaded, before: State): State {
  const { application } = unit;
  const known = new Map(before.secrets.map((secret) => [secret.id, secret]));
  return freezeCopy<State>({
    ...before,
    relations: before.relations.map((relation) => {
      const after = model.relations.get(relation.id);
      return after === undefined ? relation : relationAfter(relation, after, unit.name, application.name);
    }),
    secrets: [...model.secrets.values()].map((secret) =>
      secretAfter(secret, unit.name, known.get(secret.id)),
    ),
    ports: unit.ports.map(({ protocol, from, to, endpoint }) => ({ protocol, from, to, endpoint })),
    stored: Object.fromEntries(unit.state),
    unitStatus: statusAfter(unit.status),
    applicationStatus: statusAfter(application.status),
    workloadVersion: application.version,
  });
}

/** A status without its time. */
export function statusAfter({ status, message }: ModelStatus): Status {
  return { name: status as Status["name"], message };
}

function relationAfter<Kind extends Relation | PeerRelation>(
  before: Kind,
  after: ModelRelation,
  unit: string,
  application: string,
): Kind {
  const own = bagOf(after.members.get(unit));
  const written = Object.entries(own).filter(([key]) => key in before.ownUnit || !ADDRESSES.includes(key));
  return {
    ...before,
    ownUnit: Object.fromEntries(written),
    ownApplication: bagOf(after.applicationData.get(application)),
  };
}

function bagOf(bag: ModelBag | undefined): Databag {
  return Object.fromEntries(bag?.data ?? []);
}

function secretAfter(secret: ModelSecret, unit: string, before: Secret | undefined): Secret {
  const { id, owner, metadata, grants, consumers } = secret;
  const consumer = consumers.get(unit);
  const common = {
    id,
    revisions: Object.fromEntries(
      [...secret.revisions].map(([number, content]) => [number, decodeContent(content)]),
    ),
    tracked: consumer?.tracked ?? null,
  };
  if (before !== undefined && "granted" in before) {
    return { ...common, owner: before.owner, granted: before.granted, label: consumer?.label ?? "" };
  }
  const { label, description, rotate, expire } = metadata;
  const hung = [...grants].flatMap(([subject, relation]) =>
    relation === undefined ? [] : [[subject, relation] as const],
  );
  return {
    ...common,
    owner: owner.kind === "unit" ? "unit" : "application",
    label,
    description,
    rotate,
    expire,
    grants: Object.fromEntries(hung),
  };
}
