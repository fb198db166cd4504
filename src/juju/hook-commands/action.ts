/** Hook commands that work inside an action only, and `juju-log` (juju-rules 3.2, 4.5). */
import { AppError } from "../../base/errors.ts";
import { redact } from "../../base/redact.ts";
import { toObject, type JsonObject } from "../decode.ts";
import { asArgument, oneLine, splitBytes } from "../free-text.ts";
import { runJson, type HookTool } from "../hook-tool.ts";

/** Results of an action; nested objects become dotted keys. */
export interface ActionResults {
  readonly [key: string]: string | number | boolean | ActionResults;
}

/** Levels of `juju-log`. */
export type JujuLogLevel = "TRACE" | "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL";

/** Juju refuses them: it puts the action's own output there. */
const RESERVED = new Set(["stdout", "stderr", "stdout-encoding", "stderr-encoding"]);
const SEGMENT = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** Room for the whole log line in one argument. */
const MAX_LOG_BYTES = 100_000;
const MAX_MESSAGE_LENGTH = 2000;

/** The action's parameters, schema defaults included. */
export async function actionGet(tool: HookTool): Promise<JsonObject> {
  return toObject(await runJson(tool, "action-get", []), "action-get");
}

/** `results` as dotted keys. Throws AppError for a key that Juju refuses or that two paths share. */
export function flattenResults(results: ActionResults): ReadonlyMap<string, string> {
  const flat = new Map<string, string>();
  const visit = (prefix: string, level: ActionResults): void => {
    for (const [key, value] of Object.entries(level)) {
      const path = `${prefix}${key}`;
      if (typeof value === "object") {
        visit(`${path}.`, value);
        continue;
      }
      checkResultKey(path);
      if (flat.has(path)) throw new AppError(`cannot set the action result "${path}": it is given twice`);
      flat.set(path, String(value));
    }
  };
  visit("", results);
  for (const path of flat.keys()) {
    const parts = path.split(".");
    const parent = parts
      .map((_, index) => parts.slice(0, index).join("."))
      .find((prefix) => flat.has(prefix));
    if (parent !== undefined) {
      throw new AppError(`cannot set the action result "${path}": "${parent}" is a value already`);
    }
  }
  return flat;
}

function checkResultKey(path: string): void {
  for (const segment of path.split(".")) {
    if (RESERVED.has(segment))
      throw new AppError(`cannot set the action result "${path}": "${segment}" is reserved by Juju`);
    if (!SEGMENT.test(segment)) {
      throw new AppError(
        `cannot set the action result "${path}": "${segment}" is not made of a-z, 0-9 and inner dashes`,
      );
    }
  }
}

/** Adds to the action's results at once, secrets redacted (they stand in arguments); kept even when the action fails. */
export async function actionSet(tool: HookTool, results: ActionResults): Promise<void> {
  const flat = flattenResults(results);
  if (flat.size === 0) return;
  const words = Array.from(flat, ([key, value]) => `${key}=${asArgument(redact(value))}`);
  await tool.run("action-set", ["--", ...words]);
}

/** Marks the action as failed; what it wrote is committed all the same when it exits with 0. */
export async function actionFail(tool: HookTool, message: string): Promise<void> {
  await tool.run("action-fail", ["--", oneLine(redact(message), MAX_MESSAGE_LENGTH)]);
}

/** Shows a line of progress to the operator at once. */
export async function actionLog(tool: HookTool, message: string): Promise<void> {
  await tool.run("action-log", ["--", oneLine(redact(message), MAX_MESSAGE_LENGTH)]);
}

/** Writes to the model's log at once, in several calls when the text is longer than an argument can be. */
export async function jujuLog(tool: HookTool, level: JujuLogLevel, text: string): Promise<void> {
  for (const piece of splitBytes(redact(text), MAX_LOG_BYTES)) {
    await tool.run("juju-log", ["--log-level", level, "--", piece]);
  }
}
