/** A rule does not hold. `rule` names it: a smaller sequence must break the same one. */
export class BrokenRule extends Error {
  readonly rule: string;

  constructor(rule: string, fact: string) {
    super(`${rule}: ${fact}`);
    this.rule = rule;
  }
}

/** A {@link BrokenRule} to throw. */
export function broken(rule: string, fact: string): BrokenRule {
  return new BrokenRule(rule, fact);
}
