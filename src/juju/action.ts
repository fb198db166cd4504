/** The action being run, for its handler (juju-rules 1.4, 3.2). */
import type { GenericSchema, InferOutput } from "valibot";
import { ConfigError } from "../base/errors.ts";
import { actionFail, actionGet, actionLog, actionSet, type ActionResults } from "./hook-commands/action.ts";
import type { ActionContext } from "./context.ts";
import type { HookTool } from "./hook-tool.ts";
import { once } from "./once.ts";

/** One run of an action. Results, failure and progress reach Juju at once. */
export interface Action {
  readonly name: string;
  readonly id: string | null;
  /**
   * The parameters, asked for once and parsed by `schema`. Throws ConfigError with every problem, which ends
   * the action as failed. Juju 3 lets undeclared parameters through where `additionalProperties` is not
   * written, and gives integers as floats: let the schema judge.
   */
  readonly params: <Schema extends GenericSchema>(schema: Schema) => Promise<InferOutput<Schema>>;
  /** Adds results; nested objects become dotted keys. Throws AppError for a key that Juju refuses. */
  readonly setResults: (results: ActionResults) => Promise<void>;
  /** Marks the action as failed; the handler goes on, and its writes are committed. */
  readonly fail: (message: string) => Promise<void>;
  readonly log: (message: string) => Promise<void>;
}

/** Opens the action of this dispatch without asking Juju anything yet. */
export function openAction(context: ActionContext, tool: HookTool): Action {
  const raw = once(() => actionGet(tool));
  return {
    name: context.name,
    id: context.id,
    params: async (schema) => {
      const given = await raw();
      // loaded here, because most dispatches parse no parameters
      const { getDotPath, safeParse } = await import("valibot");
      const parsed = safeParse(schema, given);
      if (parsed.success) return parsed.output;
      throw new ConfigError(
        parsed.issues.map((issue) => {
          const path = getDotPath(issue);
          return path === null ? issue.message : `parameter ${path}: ${issue.message}`;
        }),
      );
    },
    setResults: (results) => actionSet(tool, results),
    fail: (message) => actionFail(tool, message),
    log: (message) => actionLog(tool, message),
  };
}
