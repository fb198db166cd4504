/** How a hook command fails. */

/** The command ran and failed: `ERROR <message>` on standard error, exit code 1. */
export class CommandFailure extends Error {}

/** Flags or arguments are wrong: `ERROR <message>` on standard error, exit code 2. */
export class UsageFailure extends Error {}

/** The command wants standard input, which the client has not sent yet: it repeats the call with it. */
export class InputWanted extends Error {}
