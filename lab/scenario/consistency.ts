/**
 * What Juju could never have brought about: a test that starts there proves nothing. The rules are those of
 * ops.testing's consistency checker, and more (contract 5.1).
 */
import { AppError } from "../../src/base/errors.ts";
import { eventProblems } from "./check-event.ts";
import { relationProblems } from "./check-relations.ts";
import { secretProblems } from "./check-secrets.ts";
import { unitProblems } from "./check-unit.ts";
import { describeEvent, type ScenarioEvent } from "./event.ts";
import type { Setting } from "./setting.ts";
import type { State } from "./state.ts";

/** Event and state cannot be; `problems` holds one sentence each. */
export class InconsistentScenarioError extends AppError {
  readonly problems: readonly string[];

  constructor(happening: ScenarioEvent, problems: readonly string[]) {
    super(`cannot run ${describeEvent(happening)}, for this cannot be:\n${lines(problems)}`);
    this.problems = problems;
  }
}

const lines = (problems: readonly string[]): string => problems.map((problem) => `- ${problem}`).join("\n");

/** Every reason why `happening` cannot happen in `state`, one sentence each; empty when it can. */
export function inconsistencies(setting: Setting, happening: ScenarioEvent, state: State): readonly string[] {
  return [
    ...eventProblems(setting, happening, state),
    ...unitProblems(setting, state),
    ...relationProblems(setting, state),
    ...secretProblems(setting, state),
  ];
}
