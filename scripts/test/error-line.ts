/** A test's error in one line, for a list that may be all that is left of an hour's output. */
import type { SerializedError } from "vitest/node";

/** Each message is cut by itself: a long one must not hide the error that comes after it. */
const MESSAGE_LENGTH = 300;
/** What an assertion got, which its message leaves out or shortens. */
const GOT_LENGTH = 200;

/**
 * `error` as vitest gives it, in one line: the first line of its message, for an assertion what it got, and in the
 * same way the errors within a SuppressedError (one that came while cleaning up after another, ECMAScript `using`)
 * and an AggregateError.
 */
export function errorLine(error: SerializedError): string {
  const { suppressed, error: later, errors } = error;
  if (isError(suppressed) && isError(later))
    return `${errorLine(suppressed)}; and then, cleaning up: ${errorLine(later)}`;
  const [first = ""] = error.message.trim().split("\n");
  const message = first === "" ? "no message" : cut(first, MESSAGE_LENGTH);
  const line = `${error.name ?? "Error"}: ${message}${got(error)}`;
  const within = Array.isArray(errors) ? errors.filter(isError).map(errorLine) : [];
  return within.length === 0 ? line : `${line} [${within.join("; ")}]`;
}

function isError(value: unknown): value is SerializedError {
  return (
    typeof value === "object" && value !== null && "message" in value && typeof value.message === "string"
  );
}

function got({ name, actual }: SerializedError): string {
  if (name !== "AssertionError" || actual === undefined) return "";
  const text = (typeof actual === "string" ? actual : (JSON.stringify(actual) ?? "")).replace(/\s+/g, " ");
  return `, got ${cut(text, GOT_LENGTH)}`;
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
