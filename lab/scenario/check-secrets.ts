/** Checks of the secrets of a state. */
import { describe } from "../../src/base/errors.ts";
import { checkSecretKey } from "../juju/secrets.ts";
import { isAtLeast, type Setting } from "./setting.ts";
import type { Secret, State } from "./state.ts";

/** Problems of the secrets of `state`. */
export function secretProblems(setting: Setting, state: State): readonly string[] {
  const { secrets } = state;
  if (secrets.length === 0) return [];
  if (!isAtLeast(setting, 3, 0))
    return [`there are secrets in the state, which Juju ${setting.version} does not have`];
  const problems: string[] = [];
  const ids = secrets.map(({ id }) => id);
  for (const id of repeated(ids)) problems.push(`secret ${id} is in the state twice`);
  const labels = secrets.map(({ label }) => label).filter((label) => label !== "");
  for (const label of repeated(labels)) problems.push(`two secrets have the label "${label}"`);
  if (!isAtLeast(setting, 3, 3) && secrets.some(({ owner }) => owner === "user")) {
    problems.push(`a secret is owned by the user, which Juju ${setting.version} does not have`);
  }
  return [...problems, ...secrets.flatMap((secret) => problemsOf(state, secret))];
}

function problemsOf(state: State, secret: Secret): readonly string[] {
  const { id, revisions, tracked } = secret;
  const problems: string[] = [];
  if (!/^[0-9a-z]{20}$/.test(id)) problems.push(`secret id "${id}" is not 20 letters and digits`);
  const numbers = Object.keys(revisions).map(Number);
  if (numbers.length === 0) problems.push(`secret ${id} has no revision`);
  for (const number of numbers) {
    if (!Number.isInteger(number) || number < 1)
      problems.push(`secret ${id}: revision ${number} is no number from 1 on`);
    problems.push(...contentProblems(id, revisions[number] ?? {}));
  }
  if (tracked !== null && !numbers.includes(tracked)) {
    problems.push(`secret ${id}: revision ${tracked} is tracked, but it is not there`);
  }
  if ("granted" in secret) {
    if (secret.label !== "" && tracked === null) {
      problems.push(`secret ${id} has the label "${secret.label}", but our unit has never read it`);
    }
    return problems;
  }
  for (const [subject, relation] of Object.entries(secret.grants)) {
    if (!state.relations.some((one) => one.id === relation)) {
      problems.push(
        `secret ${id}: the grant to ${subject} hangs on relation ${relation}, which is not in the state`,
      );
    }
  }
  return problems;
}

function contentProblems(id: string, content: Readonly<Record<string, string>>): readonly string[] {
  const keys = Object.keys(content);
  if (keys.length === 0) return [`secret ${id} has a revision without content`];
  return keys.flatMap((key) => {
    try {
      checkSecretKey(key);
      return [];
    } catch (error) {
      return [`secret ${id}: ${describe(error)}`];
    }
  });
}

function repeated(values: readonly string[]): readonly string[] {
  return [...new Set(values.filter((value, at) => values.indexOf(value) !== at))];
}
