/** A faithful fake of Juju's controller and unit agents; the only door for other folders. */
export { FakeJuju } from "./fake-juju.ts";
export type { ActionOutcome, DeployOptions, FakeJujuOptions } from "./options.ts";
export type { LogRecord } from "./commands/command.ts";
export type { Outcome } from "./commands/run.ts";
export type { Fault, JournalEntry } from "./journal.ts";
export type { ApplicationStatus, ModelStatus, UnitStatus } from "./status.ts";
