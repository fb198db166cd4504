/** The charm's options, parsed once into exact types; every problem is told, not just the first. */
import { ConfigError } from "../base/errors.ts";
import type { Arch, Base } from "../build/types.ts";
import type { RawConfig } from "../juju/index.ts";
import { parseArch, parseBases, splitList } from "./options.ts";

/** The options after parsing; secrets are still URIs. */
export interface BuilderConfig {
  readonly arch: Arch;
  /** In the operator's order; the first one owns the relation's `id`. */
  readonly bases: readonly Base[];
  readonly flavor: string;
  readonly network: string;
  readonly intervalHours: number;
  readonly keepRevisions: number;
  readonly removeDepartedImages: boolean;
  readonly cloud: {
    readonly authUrl: string;
    readonly projectName: string;
    readonly projectDomainName: string;
    readonly username: string;
    readonly userDomainName: string;
    readonly region: string | null;
    readonly passwordSecret: string;
  };
  readonly runnerVersion: string;
  readonly runnerMirror: string;
  readonly baseImageMirror: string;
  readonly aptMirror: string;
  readonly packages: readonly string[];
  readonly snaps: readonly string[];
  readonly npmPackages: readonly string[];
  readonly script: {
    readonly url: string;
    /** URI of the Juju secret with its variables, or the variables themselves. */
    readonly secret: string | Readonly<Record<string, string>> | null;
  } | null;
}

const CREDENTIALS = [
  "openstack-auth-url",
  "openstack-user-name",
  "openstack-user-domain-name",
  "openstack-project-name",
  "openstack-project-domain-name",
  "openstack-password-secret",
] as const;

const PACKAGE = /^(-\*|-?[a-z0-9][a-z0-9+.-]*)$/;
const SNAP = /^[a-z0-9][a-z0-9-]*(=[a-z0-9./-]+)?(:classic)?$/;
const NPM_PACKAGE = /^(@[a-z0-9~][a-z0-9-._~]*\/)?[a-z0-9~][a-z0-9-._~]*(@[a-zA-Z0-9.^~-]+)?$/;
const RUNNER_VERSION = /^\d+\.\d+\.\d+$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The config in `raw`, or a {@link ConfigError} with one sentence per wrong option. */
export function parseConfig(raw: RawConfig): BuilderConfig | ConfigError {
  const problems: string[] = [];
  const text = (option: string): string => String(raw[option] ?? "").trim();
  const whole = (option: string, least: number, most: number): number => {
    const value = Number(raw[option]);
    if (!Number.isInteger(value) || value < least || value > most) {
      problems.push(`${option}: set it to a whole number from ${least} to ${most}`);
    }
    return value;
  };
  const url = (option: string, isRequired: boolean): string => {
    const value = text(option);
    if (value === "" && !isRequired) return "";
    if (!/^https?:\/\/[^/\s]+(\/\S*)?$/.test(value) || !URL.canParse(value)) {
      problems.push(`${option}: set it to an http or https address`);
    }
    return value;
  };
  const list = (option: string, pattern: RegExp, form: string): readonly string[] => {
    const items = splitList(text(option));
    for (const item of items) {
      if (!pattern.test(item)) problems.push(`${option}: "${shorten(item)}" is not ${form}`);
    }
    return items;
  };

  const arch = parseArch(text("architecture"));
  if (typeof arch !== "string") problems.push(arch.problem);
  const bases = parseBases(text("base-image"));
  if ("problem" in bases) problems.push(bases.problem);
  const missing = CREDENTIALS.filter((option) => text(option) === "");
  if (missing.length > 0) problems.push(`set ${missing.join(", ")}: a build needs a project to build in`);
  const authUrl = missing.includes("openstack-auth-url") ? "" : url("openstack-auth-url", true);
  const passwordSecret = text("openstack-password-secret");
  if (passwordSecret !== "" && !passwordSecret.startsWith("secret:")) {
    problems.push("openstack-password-secret: set it to the URI of a Juju secret, such as secret:cq5k...");
  }
  const runnerVersion = text("runner-version");
  if (runnerVersion !== "" && !RUNNER_VERSION.test(runnerVersion)) {
    problems.push("runner-version: leave it empty or set it to a version such as 2.330.0");
  }

  const config: BuilderConfig = {
    arch: typeof arch === "string" ? arch : "x64",
    bases: "problem" in bases ? [] : bases.bases,
    flavor: text("build-flavor"),
    network: text("build-network"),
    intervalHours: whole("build-interval", 1, 24),
    keepRevisions: whole("revision-history-limit", 2, 99),
    removeDepartedImages: raw["remove-departed-images"] === true,
    cloud: {
      authUrl,
      projectName: text("openstack-project-name"),
      projectDomainName: text("openstack-project-domain-name"),
      username: text("openstack-user-name"),
      userDomainName: text("openstack-user-domain-name"),
      region: text("openstack-region") || null,
      passwordSecret,
    },
    runnerVersion: runnerVersion || "latest",
    runnerMirror: url("runner-mirror", true),
    baseImageMirror: url("base-image-mirror", true),
    aptMirror: url("apt-mirror", false),
    packages: list("apt-packages", PACKAGE, "the name of a Debian package (or -name to remove one)"),
    snaps: list("snaps", SNAP, "name[=channel][:classic]"),
    npmPackages: list("npm-packages", NPM_PACKAGE, "the name of an npm package"),
    script: parseScript(url("script-url", false), text, problems),
  };
  return problems.length === 0 ? config : new ConfigError(problems);
}

function parseScript(
  url: string,
  text: (option: string) => string,
  problems: string[],
): BuilderConfig["script"] {
  const id = text("script-secret-id");
  const inline = text("script-secret");
  if (id !== "" && inline !== "") {
    problems.push("script-secret, script-secret-id: set only one of them");
  }
  if (id !== "" && !id.startsWith("secret:")) {
    problems.push("script-secret-id: set it to the URI of a Juju secret, such as secret:cq5k...");
  }
  const variables: Record<string, string> = {};
  for (const pair of inline === "" ? [] : inline.split(/\s+/)) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(at, 0));
    if (VARIABLE.test(name)) variables[name] = pair.slice(at + 1);
    else
      problems.push(
        "script-secret: write it as name=value name2=value2, with names of letters, digits and _",
      );
  }
  if (url === "") return null;
  return { url, secret: id !== "" ? id : inline !== "" ? variables : null };
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
