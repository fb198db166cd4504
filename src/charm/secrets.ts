/** The Juju secrets that options name. */
import { ConfigError } from "../base/errors.ts";
import { registerSecret } from "../base/redact.ts";
import { isSecretDenied, isSecretNotFound, type SecretContent, type Unit } from "../juju/index.ts";
import type { BuilderConfig } from "./config.ts";
import { addressFlaw, LONGEST_PASSWORD, unprintable } from "./text.ts";

/** Longest value of a variable; the kernel's limit (MAX_ARG_STRLEN) is 128 KiB with its name. */
const LONGEST_VALUE = 65_536;

/** The password of the build project; throws {@link ConfigError} with what the operator must do. */
export async function readPassword(unit: Unit, uri: string): Promise<string> {
  const option = "openstack-password-secret";
  const { password } = await read(unit, option, uri);
  if (password === undefined || password === "") {
    throw new ConfigError([`${option}: the secret needs the key "password" with the user's password`]);
  }
  // a line break at its end comes from a file, and is in no password
  const bad = unprintable(password);
  if (bad !== null) {
    throw new ConfigError([
      `${option}: the value of "password" has the character ${bad}, which cannot be printed; update the secret`,
    ]);
  }
  if (password.length > LONGEST_PASSWORD) {
    throw new ConfigError([
      `${option}: the value of "password" has ${password.length} characters, ` +
        `${LONGEST_PASSWORD} are the most; update the secret`,
    ]);
  }
  return password;
}

/** The address of the webhook; null without the option. Throws {@link ConfigError} when it is none. */
export async function readNotifyUrl(unit: Unit, uri: string): Promise<string | null> {
  if (uri === "") return null;
  const option = "notify-url";
  const { url = "" } = await read(unit, option, uri);
  const address = url.trim();
  const flaw = addressFlaw(address);
  if (flaw !== null && flaw !== "query") {
    throw new ConfigError([`${option}: the secret needs the key "url" with an http or https address`]);
  }
  return address;
}

/** The script's secrets by variable name; `-` in a secret's key becomes `_`. Null without a script. */
export async function readScriptSecrets(
  unit: Unit,
  script: BuilderConfig["script"],
): Promise<Readonly<Record<string, string>> | null> {
  if (script === null || script.secret === null) return null;
  if (typeof script.secret !== "string") {
    for (const value of Object.values(script.secret)) registerSecret(value);
    return script.secret;
  }
  const content = await read(unit, "script-secret-id", script.secret);
  for (const [key, value] of Object.entries(content)) checkValue(key, value);
  return Object.fromEntries(Object.entries(content).map(([key, value]) => [key.replaceAll("-", "_"), value]));
}

/** Line breaks and tabs are fine in a variable: keys and certificates have them. */
function checkValue(key: string, value: string): void {
  // what is not UTF-8 reaches us with replacement characters
  if (value.length <= LONGEST_VALUE && !/[\0\ufffd]/.test(value)) return;
  throw new ConfigError([
    `script-secret-id: the value of the key ${key.slice(0, 40)} fits no environment variable; ` +
      `make it UTF-8 text of at most ${LONGEST_VALUE} characters without NUL`,
  ]);
}

async function read(unit: Unit, option: string, uri: string): Promise<SecretContent> {
  try {
    // refresh, so that a rotated password is followed without anybody's help
    return await unit.secret({ id: uri }).refresh();
  } catch (error) {
    if (isSecretDenied(error)) {
      const fix = `juju grant-secret <name> ${unit.application}`;
      throw new ConfigError([`${option}: this application may not read the secret; run ${fix}`], {
        cause: error,
      });
    }
    if (isSecretNotFound(error)) {
      throw new ConfigError([`${option}: there is no such secret; set it to the URI of an existing one`], {
        cause: error,
      });
    }
    throw error;
  }
}
