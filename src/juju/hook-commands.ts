/**
 * Every hook command that a machine charm can use, one typed function each, as Juju documents them
 * (juju-rules 3.2). They act as Juju does: some at once, some at the commit; charms
 * use the model and its queued writes instead, and come here for what the model does not cover.
 */
export * from "./hook-commands/action.ts";
export * from "./hook-commands/identity.ts";
export * from "./hook-commands/machine.ts";
export * from "./hook-commands/relation.ts";
export * from "./hook-commands/secret.ts";
