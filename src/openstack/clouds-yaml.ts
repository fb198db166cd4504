/** clouds.yaml, as openstacksdk reads it; the only importer of js-yaml here. */
import { load } from "js-yaml";
import * as v from "valibot";
import { asError, ConfigError } from "../base/errors.ts";
import { type CloudAuth, normaliseAuthUrl } from "./auth.ts";

/** openstacksdk's default domain: its id is `default`, its name `Default`. */
const DEFAULT_DOMAIN = "Default";

const Mapping = v.record(v.string(), v.unknown());

/**
 * The clouds of a clouds.yaml by their names. `path` is for the messages alone. Missing domains mean
 * `Default`. Throws {@link ConfigError} with all problems: what is no text, missing, or asks for a kind of
 * sign-in that this program does not do. Other keys are ignored.
 */
export function parseCloudsYaml(text: string, path: string): ReadonlyMap<string, CloudAuth> {
  let document: unknown;
  try {
    document = load(text);
  } catch (error) {
    // the parser's message quotes the file, where a password may stand: only its first words and line
    const [reason] = asError(error).message.split("\n");
    throw new ConfigError([`${path} is not YAML: ${(reason ?? "").slice(0, 80)}`]);
  }
  const clouds = v.safeParse(v.object({ clouds: Mapping }), document);
  if (!clouds.success) throw new ConfigError([`${path} has no mapping "clouds"`]);
  const problems: string[] = [];
  const result = new Map<string, CloudAuth>();
  for (const [name, entry] of Object.entries(clouds.output.clouds)) {
    const auth = readCloud(entry, (problem) => problems.push(`${path}: cloud ${name}: ${problem}`));
    if (auth !== undefined) result.set(name, auth);
  }
  if (result.size === 0 && problems.length === 0) problems.push(`${path} has no cloud`);
  if (problems.length > 0) throw new ConfigError(problems);
  return result;
}

function readCloud(entry: unknown, problem: (text: string) => void): CloudAuth | undefined {
  const cloud = v.safeParse(v.intersect([Mapping, v.object({ auth: Mapping })]), entry);
  if (!cloud.success) {
    problem('has no mapping "auth"');
    return undefined;
  }
  let sound = true;
  const complain = (text: string): void => {
    sound = false;
    problem(text);
  };
  const textAt = (from: Record<string, unknown>, key: string, label: string): string | null => {
    const value = from[key];
    if (value === undefined || value === null) return null;
    if (typeof value === "string" && value !== "") return value;
    complain(`${label} must be a text that is not empty; put it in quotes`);
    return null;
  };
  const { auth, ...rest } = cloud.output;
  const required = (key: string): string => {
    const value = textAt(auth, key, `auth.${key}`);
    if (value === null && (auth[key] === undefined || auth[key] === null)) complain(`auth.${key} is missing`);
    return value ?? "";
  };
  const domain = (whose: "project" | "user"): string => {
    const name = textAt(auth, `${whose}_domain_name`, `auth.${whose}_domain_name`);
    if (name !== null) return name;
    const id = auth[`${whose}_domain_id`];
    if (id !== undefined && id !== "default") complain(`give auth.${whose}_domain_name, not the domain's id`);
    return DEFAULT_DOMAIN;
  };
  const type = rest["auth_type"];
  if (type !== undefined && type !== "password" && type !== "v3password") {
    complain(`auth_type ${JSON.stringify(type)} is not supported; use password`);
  }
  if (rest["verify"] === false) complain("verify: false is not supported; name the CA file in cacert");
  const authUrl = required("auth_url");
  if (authUrl !== "") {
    try {
      normaliseAuthUrl(authUrl);
    } catch (error) {
      complain(asError(error).message);
    }
  }
  const result: CloudAuth = {
    authUrl,
    projectName: required("project_name"),
    projectDomainName: domain("project"),
    username: required("username"),
    userDomainName: domain("user"),
    password: required("password"),
    region: textAt(rest, "region_name", "region_name"),
    caFile: textAt(rest, "cacert", "cacert"),
  };
  return sound ? result : undefined;
}

/**
 * A clouds.yaml that openstacksdk, its command line and {@link parseCloudsYaml} read; clouds sorted by name,
 * so that equal clouds give equal bytes. It holds passwords: write it with mode 0600.
 */
export function formatCloudsYaml(clouds: ReadonlyMap<string, CloudAuth>): string {
  const lines = ["clouds:"];
  for (const [name, auth] of [...clouds].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(
      `  ${text(name)}:`,
      "    auth:",
      `      auth_url: ${text(auth.authUrl)}`,
      `      project_name: ${text(auth.projectName)}`,
      `      project_domain_name: ${text(auth.projectDomainName)}`,
      `      username: ${text(auth.username)}`,
      `      user_domain_name: ${text(auth.userDomainName)}`,
      `      password: ${text(auth.password)}`,
    );
    if (auth.region !== null) lines.push(`    region_name: ${text(auth.region)}`);
    if (auth.caFile !== null) lines.push(`    cacert: ${text(auth.caFile)}`);
    lines.push("    identity_api_version: 3");
  }
  if (clouds.size === 0) lines[0] = "clouds: {}";
  return `${lines.join("\n")}\n`;
}

/**
 * JSON's quoted strings are YAML's, and no reader takes them for numbers, dates or booleans. What YAML 1.1
 * takes for line breaks (PyYAML would fold them) or does not allow as it is goes as an escape.
 */
function text(value: string): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\u00a0\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
