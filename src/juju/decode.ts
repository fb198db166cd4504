/** From the decoded JSON of hook commands to exact types; each refusal names the command (juju-rules 0.7). */
import { AppError } from "../base/errors.ts";

/** A JSON object, not yet looked into. */
export type JsonObject = Readonly<Record<string, unknown>>;

function odd(command: string, expected: string): AppError {
  return new AppError(`cannot read the output of ${command}: expected ${expected}`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object; `null` (a nil map in Go) counts as an empty one. */
export function toObject(value: unknown, command: string): JsonObject {
  if (value === null) return {};
  if (!isObject(value)) throw odd(command, "an object");
  return value;
}

/** An object of strings; `null` counts as an empty one. */
export function toTexts(value: unknown, command: string): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [key, text] of Object.entries(toObject(value, command))) {
    if (typeof text !== "string") throw odd(command, `text under "${key}"`);
    texts[key] = text;
  }
  return texts;
}

/** A list of strings; `null` (a nil slice in Go) counts as an empty one. */
export function toList(value: unknown, command: string): readonly string[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw odd(command, "a list of texts");
  return value.map((item: unknown) => toText(item, command));
}

/** A list of objects; `null` or nothing counts as an empty one. */
export function toObjects(value: unknown, command: string): readonly JsonObject[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw odd(command, "a list of objects");
  return value.map((item: unknown) => toObject(item, command));
}

/** A string. */
export function toText(value: unknown, command: string): string {
  if (typeof value !== "string") throw odd(command, "a text");
  return value;
}

/** A string, or `null` where the command knows none (`null` or empty). */
export function toOptionalText(value: unknown, command: string): string | null {
  return value === null || value === undefined || value === "" ? null : toText(value, command);
}

/** `true` or `false`. */
export function toBoolean(value: unknown, command: string): boolean {
  if (typeof value !== "boolean") throw odd(command, "true or false");
  return value;
}
