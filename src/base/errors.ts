/** Errors of this program. A class exists only where some caller branches on it. */

/** Base of all errors that this program throws on purpose; its message is one sentence for a person. */
export class AppError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The operator's input is wrong; `problems` holds one sentence each, naming the option and the fix. */
export class ConfigError extends AppError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join("; "), options);
    this.problems = problems;
  }
}

/** A wait or call did not end within its limit. `what` names the thing waited for. */
export class DeadlineError extends AppError {
  readonly what: string;
  readonly afterMs: number;

  constructor(what: string, afterMs: number, options?: ErrorOptions) {
    super(`${what}: not done after ${formatDuration(afterMs)}`, options);
    this.what = what;
    this.afterMs = afterMs;
  }
}

/** Somebody asked for the end (SIGTERM, the `cancel` command); never a fault of the work itself. */
export class CancelledError extends AppError {}

/** `value` as an Error, so that whatever was thrown has a message and a stack. */
export function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}

/** The messages of `error` and its chain of causes as one line, repeated texts left out. */
export function describe(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  // bounded by the chain's length, not by what it says: a chain can be a circle
  for (let depth = 0; current !== undefined && depth < 8; depth += 1) {
    const { message, cause } = asError(current);
    const text = message.replace(/\s+/g, " ").trim();
    if (text !== "" && !parts.some((part) => part.includes(text))) parts.push(text);
    current = cause;
  }
  return parts.join(": ");
}

/** Milliseconds as a person reads them: `850ms`, `12s`, `3m05s`, `1h02m`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const two = (n: number): string => String(n).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${two(Math.floor((seconds % 3600) / 60))}m`;
}
