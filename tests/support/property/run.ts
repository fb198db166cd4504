/** One sequence of steps from deployment to a healed end, with all rules checked on the way. */
import { asError } from "../../../src/base/errors.ts";
import { BrokenRule } from "./broken-rule.ts";
import { heal, updateAll } from "./heal.ts";
import { perform } from "./perform.ts";
import {
  checkDatabags,
  checkEqualUnits,
  checkNewest,
  checkServed,
  checkStatuses,
  remember,
} from "./rules.ts";
import type { Step } from "./steps.ts";
import { openWorld, type World } from "./world.ts";

/** What broke, and at which step (from 1; behind the last one: while all was put right). */
export interface Failure {
  readonly rule: string;
  readonly message: string;
  readonly step: number;
}

/** Carries out `steps` on a charm with `units` units; null when every rule held. */
export async function runSteps(steps: readonly Step[], units: number): Promise<Failure | null> {
  await using world = await openWorld(units);
  let step = 0;
  try {
    await check(world);
    for (const one of steps) {
      step += 1;
      await perform(world, one);
      // what a crash is to strike comes first
      if (world.crash === null) await check(world);
    }
    step += 1;
    await heal(world);
    await check(world);
    checkServed(world);
    return null;
  } catch (error) {
    if (error instanceof BrokenRule) return { rule: error.rule, message: error.message, step };
    throw new Error(`cannot carry out step ${step}`, { cause: asError(error) });
  }
}

async function check(world: World): Promise<void> {
  checkDatabags(world);
  await updateAll(world);
  await remember(world);
  checkDatabags(world);
  checkEqualUnits(world);
  await checkNewest(world);
  await checkStatuses(world);
}
