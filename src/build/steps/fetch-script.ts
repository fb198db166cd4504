/** The operator's script and its secrets, read before anything is launched. */
import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import * as v from "valibot";
import { AppError } from "../../base/errors.ts";
import { bodyOf, get } from "../../base/http.ts";
import { registerSecret } from "../../base/redact.ts";
import type { BuildSecrets, ScriptSource } from "../types.ts";

/** A script longer than this is not one. */
const LONGEST_SCRIPT = 1 << 20;

/**
 * The text at the script's address; redirects are followed, any status but 2xx is an error, and so is another
 * SHA-256 than the operator's.
 */
export async function fetchScript({ url, sha256 }: ScriptSource, signal: AbortSignal): Promise<string> {
  const address = { option: "script-url", url };
  await using reply = await get(address, signal);
  if (!reply.isOk) throw new AppError(`script-url: ${url} answers HTTP ${reply.status}`);
  const data = await bodyOf(reply, address, LONGEST_SCRIPT);
  const got = createHash("sha256").update(data).digest("hex");
  if (sha256 !== "" && got !== sha256) {
    throw new AppError(`script-sha256: the script at ${url} has the SHA-256 ${got}, not ${sha256}`);
  }
  return data.toString("utf8");
}

const secretsSchema = v.object({
  script: v.record(v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/)), v.string()),
  notifyUrl: v.nullable(v.string()),
});

/** What the builder is told in `path`; the file is removed. Values are redacted everywhere from then on. */
export async function takeSecrets(path: string): Promise<BuildSecrets> {
  const json = await readFile(path, "utf8");
  await rm(path);
  const result = v.safeParse(secretsSchema, parse(json));
  if (!result.success) throw new AppError("the script's secrets are not names of variables with text values");
  const { script, notifyUrl } = result.output;
  for (const value of Object.values(script)) registerSecret(value);
  if (notifyUrl !== null) registerSecret(notifyUrl);
  return result.output;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // the parser's message quotes the text: neither it nor a cause may go on
    return undefined;
  }
}
