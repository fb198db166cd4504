/** The Juju secrets that options name. */
import { ConfigError } from "../base/errors.ts";
import { isSecretDenied, isSecretNotFound, type SecretContent, type Unit } from "../juju/index.ts";
import type { BuilderConfig } from "./config.ts";

/** The password of the build project; throws {@link ConfigError} with what the operator must do. */
export async function readPassword(unit: Unit, uri: string): Promise<string> {
  const option = "openstack-password-secret";
  const { password } = await read(unit, option, uri);
  if (password === undefined || password === "") {
    throw new ConfigError([`${option}: the secret needs the key "password" with the user's password`]);
  }
  return password;
}

/** The script's secrets by variable name; `-` in a secret's key becomes `_`. Null without a script. */
export async function readScriptSecrets(
  unit: Unit,
  script: BuilderConfig["script"],
): Promise<Readonly<Record<string, string>> | null> {
  if (script === null || script.secret === null) return null;
  if (typeof script.secret !== "string") return script.secret;
  const content = await read(unit, "script-secret-id", script.secret);
  return Object.fromEntries(Object.entries(content).map(([key, value]) => [key.replaceAll("-", "_"), value]));
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
