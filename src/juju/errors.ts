/** What a hook command refuses, told apart where a charm has to branch (juju-rules 3.2). */
import { AppError } from "../base/errors.ts";
import { redact } from "../base/redact.ts";

/** Why a hook command failed; `other` is everything that no charm branches on. */
export type HookCommandFailure =
  | "relation-not-found"
  | "settings-not-found"
  | "secret-not-found"
  | "permission-denied"
  | "not-leader"
  | "not-in-action"
  | "network-not-found"
  | "wrong-context"
  | "other";

/** A hook command ended with a code other than 0: 2 for its arguments, 1 for what it found. Holds no secret. */
export class HookCommandError extends AppError {
  readonly command: string;
  readonly exitCode: number;
  readonly stderr: string;
  readonly kind: HookCommandFailure;

  constructor(command: string, exitCode: number, stderr: string) {
    // what a command says may quote what it was given
    const shown = redact(stderr);
    const text = shown.trim().replace(/^ERROR /, "");
    super(`cannot run ${command}: ${text === "" ? `exit code ${exitCode} and no message` : text}`);
    this.command = command;
    this.exitCode = exitCode;
    this.stderr = shown;
    this.kind = failureKind(command, text);
  }
}

/** `relation not found` comes first: `secret-grant -r` says it too, and means the relation. */
function failureKind(command: string, text: string): HookCommandFailure {
  if (text.includes("relation not found")) return "relation-not-found";
  if (text.includes("settings not found")) return "settings-not-found";
  if (/permission denied|access denied/.test(text)) return "permission-denied";
  if (/not the leader|cannot write relation settings/.test(text)) return "not-leader";
  if (command.startsWith("secret-") && text.includes("not found")) return "secret-not-found";
  if (text.includes("not running an action")) return "not-in-action";
  if (text.includes("no network config found")) return "network-not-found";
  if (text.includes("expected context id")) return "wrong-context";
  return "other";
}

/** Whether `error` is a hook command's failure of this kind. */
export function isHookFailure(error: unknown, kind: HookCommandFailure): error is HookCommandError {
  return error instanceof HookCommandError && error.kind === kind;
}

/** The secret does not exist, or was removed. A secret that was never granted is {@link isSecretDenied}. */
export const isSecretNotFound = (error: unknown): boolean => isHookFailure(error, "secret-not-found");

/** The secret exists but was not granted to this application; granting it later fires no hook. */
export const isSecretDenied = (error: unknown): boolean =>
  isHookFailure(error, "permission-denied") && error.command.startsWith("secret-");
