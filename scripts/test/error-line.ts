/** A test's error in one line, for a list that may be all that is left of an hour's output. */
import type { SerializedError } from "vitest/node";

const LINE_LENGTH = 600;
/** What an assertion got, which its message leaves out or shortens. */
const GOT_LENGTH = 200;

/**
 * `error` as vitest gives it, in one line of 600 characters at most: the first line of its message, for an
 * assertion what it got, and in the same way the errors within a SuppressedError (an error while another is cleaned
 * up after, ECMAScript `using`) and an AggregateError.
 */
export function errorLine(error: SerializedError): string {
  const line = describe(error);
  return line.length > LINE_LENGTH ? `${line.slice(0, LINE_LENGTH)}…` : line;
}

function describe(error: SerializedError): string {
  const { suppressed, error: later, errors } = error;
  if (isError(suppressed) && isError(later))
    return `${describe(suppressed)}; and then, cleaning up: ${describe(later)}`;
  const [first = ""] = error.message.trim().split("\n");
  const name = error.name ?? "Error";
  const line = `${name}: ${first === "" ? "no message" : first}${got(error)}`;
  const within = Array.isArray(errors) ? errors.filter(isError).map(describe) : [];
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
  return `, got ${text.length > GOT_LENGTH ? `${text.slice(0, GOT_LENGTH)}…` : text}`;
}
