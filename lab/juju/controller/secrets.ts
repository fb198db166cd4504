/** What an admin does to secrets, and what the clock does to a charm's. */
import { AppError } from "../../../src/base/errors.ts";
import type { AgentState } from "../agent-state.ts";
import { atLeast } from "../model.ts";
import { applicationNamed, secretAt } from "../operations.ts";
import { addRevision, decodeContent, encodeContent, newUserSecret } from "../secrets.ts";
import type { Controller } from "./controller.ts";

/** The admin's doings with secrets, as methods of the fake. */
export function secretMethods({ agents, model }: Controller) {
  const ownerAgent = (uri: string): AgentState | undefined => {
    const { kind, name } = secretAt(model, uri).owner;
    const unit = kind === "unit" ? name : model.applications.get(name)?.leader;
    return unit === undefined ? undefined : agents.get(unit).state;
  };
  return {
    /** Adds a user secret; gives its URI. Throws before Juju 3.3, which has none. */
    addSecret(content: Readonly<Record<string, string>>): string {
      if (!atLeast(model, 3, 3))
        throw new AppError(`cannot add a user secret: Juju ${model.version} has none`);
      const secret = newUserSecret(model.name, encodeContent(Object.entries(content)));
      model.secrets.set(secret.id, secret);
      return `secret:${secret.id}`;
    },

    /** Adds a revision; units that track an older one get `secret-changed`. */
    updateSecret(uri: string, content: Readonly<Record<string, string>>): void {
      addRevision(secretAt(model, uri), encodeContent(Object.entries(content)));
      agents.wake();
    },

    /** Lets an application read a user secret. No hook follows. */
    grantSecret(uri: string, application: string): void {
      secretAt(model, uri).grants.set(applicationNamed(model, application).name, undefined);
    },

    /** Takes the right to read away. No hook follows. */
    revokeSecret(uri: string, application: string): void {
      secretAt(model, uri).grants.delete(application);
    },

    /** Removes a secret with all revisions. */
    removeSecret(uri: string): void {
      model.secrets.delete(secretAt(model, uri).id);
      agents.wake();
    },

    /** The newest content of a secret, decoded. */
    secretContent(uri: string): Record<string, string> {
      const secret = secretAt(model, uri);
      return decodeContent(secret.revisions.get(secret.latest) ?? new Map());
    },

    /** The URIs of all secrets that an application or its units own. */
    ownedSecrets: (application: string): readonly string[] =>
      [...model.secrets.values()]
        .filter(({ owner }) => owner.kind !== "user" && owner.name.replace(/\/.*$/, "") === application)
        .map(({ id }) => `secret:${id}`),

    /** Tells the secret's owner to rotate it (`secret-rotate`). */
    rotateSecret(uri: string): void {
      ownerAgent(uri)?.rotationsDue.add(secretAt(model, uri).id);
      agents.wake();
    },

    /** Tells the secret's owner that the newest revision has expired (`secret-expired`). */
    expireSecret(uri: string): void {
      const { id, latest } = secretAt(model, uri);
      ownerAgent(uri)?.expiriesDue.set(id, latest);
      agents.wake();
    },
  };
}
