/** The model's log as a destination of our logger (juju-rules 4.5). */
import { describe } from "../base/errors.ts";
import { redact } from "../base/redact.ts";
import { toObject, type JsonObject } from "./decode.ts";
import { jujuLog, type JujuLogLevel } from "./hook-commands/action.ts";
import type { HookTool } from "./hook-tool.ts";

/** Takes a logger's JSON lines and passes them on, in order, while the hook goes on. */
export interface JujuLogStream {
  readonly write: (line: string) => void;
  /** Queues text of our own, whatever the logger's level. */
  readonly send: (level: JujuLogLevel, text: string) => void;
  /** Ends when everything written so far has been passed on; await it before the process ends. Never throws. */
  readonly flush: () => Promise<void>;
}

const LEVELS: Readonly<Record<string, JujuLogLevel>> = {
  trace: "TRACE",
  debug: "DEBUG",
  info: "INFO",
  warn: "WARNING",
  error: "ERROR",
  fatal: "CRITICAL",
};

/** One call carries this much; a longer text is split by {@link jujuLog}. */
const BATCH_CHARACTERS = 25_000;

/**
 * A stream to `juju-log`. Lines of one level that are waiting together go in one call, since each call is a
 * process. A log that cannot be written never breaks the hook: from the first failure on, everything goes
 * to `fallback` (the agent logs what a hook writes to its standard error).
 */
export function jujuLogStream(tool: HookTool, fallback: (text: string) => void): JujuLogStream {
  const queue: { readonly level: JujuLogLevel; text: string }[] = [];
  let pumping: Promise<void> | undefined;
  let isBroken = false;

  const pump = async (): Promise<void> => {
    // lines written in the same turn of the event loop travel together
    await new Promise((resolve) => setImmediate(resolve));
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { level, text } = next;
      if (!isBroken) {
        try {
          await jujuLog(tool, level, text);
          continue;
        } catch (error) {
          isBroken = true;
          fallback(redact(`cannot write to the model's log: ${describe(error)}\n`));
        }
      }
      fallback(redact(`${level} ${text}\n`));
    }
    pumping = undefined;
  };
  const send = (level: JujuLogLevel, text: string): void => {
    const last = queue.at(-1);
    if (last?.level === level && last.text.length + text.length < BATCH_CHARACTERS) last.text += `\n${text}`;
    else queue.push({ level, text });
    pumping ??= pump();
  };
  return {
    send,
    write: (line) => {
      const { level, text } = readableLine(line);
      send(level, text);
    },
    flush: async () => {
      while (pumping !== undefined) await pumping;
    },
  };
}

/**
 * A JSON line as `message key=value`; an error's message, which holds its causes', comes last. A line that is
 * no JSON (a secret that was redacted may have spanned its punctuation) is given as it is.
 */
export function readableLine(line: string): { readonly level: JujuLogLevel; readonly text: string } {
  const record = parsedLine(line);
  if (record === undefined) return { level: "INFO", text: line.trim() };
  const { level, msg, err, time: _time, ...fields } = record;
  const parts = [typeof msg === "string" ? msg : ""];
  for (const [key, value] of Object.entries(fields)) parts.push(`${key}=${fieldText(value)}`);
  if (err !== undefined) parts.push(`err=${fieldText(errorText(err))}`);
  return {
    level: LEVELS[String(level)] ?? "INFO",
    text: parts.filter((part) => part !== "").join(" "),
  };
}

function parsedLine(line: string): JsonObject | undefined {
  try {
    return toObject(JSON.parse(line), "the logger");
  } catch {
    return undefined;
  }
}

function errorText(err: unknown): unknown {
  if (typeof err !== "object" || err === null || !("message" in err)) return err;
  return String(err.message).replace(/\s+/g, " ");
}

function fieldText(value: unknown): string {
  const isPlain = typeof value === "string" && /^[^\s"=]+$/.test(value);
  return isPlain ? value : JSON.stringify(value);
}
