/** The charm's options, parsed once into exact types; every wrong one is told, each by one sentence. */
import { ConfigError } from "../base/errors.ts";
import { type LimitChanges, parseLimits } from "../base/limits.ts";
import { BASES, type Arch, type Base } from "../build/types.ts";
import { isSecretUri, type RawConfig } from "../juju/index.ts";
import { openOptionReader, type ItemForm, type OptionReader } from "./option-reader.ts";
import { parseArch, parseBases } from "./options.ts";
import type { Timing } from "./schedule.ts";
import { quote } from "./text.ts";

/** The options after parsing; secrets are still URIs. */
export interface BuilderConfig {
  readonly arch: Arch;
  /** In the operator's order; the first one owns the relation's `id`. */
  readonly bases: readonly Base[];
  readonly flavor: string;
  readonly network: string;
  readonly timing: Timing;
  readonly limits: LimitChanges;
  readonly keepRevisions: number;
  readonly removeDepartedImages: boolean;
  /** URI of the secret with the webhook; empty for none. */
  readonly notifySecret: string;
  readonly rebuildOnRelease: boolean;
  /** First port to try for metrics; 0: none. */
  readonly metricsPort: number;
  readonly cloud: {
    readonly authUrl: string;
    readonly projectName: string;
    readonly projectDomainName: string;
    readonly username: string;
    readonly userDomainName: string;
    readonly region: string | null;
    readonly passwordSecret: string;
  };
  /** PEM text of certificates to trust; empty for none. */
  readonly caCertificates: string;
  readonly runnerVersion: string;
  readonly runnerMirror: string;
  readonly baseImageMirror: string;
  readonly baseImageSerial: string;
  readonly requireSignature: boolean;
  readonly parallelImages: number;
  readonly aptMirror: string;
  readonly yqMirror: string;
  readonly packages: readonly string[];
  readonly snaps: readonly string[];
  readonly npmPackages: readonly string[];
  readonly script: {
    readonly url: string;
    /** Hex in lower case; empty = not checked. */
    readonly sha256: string;
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

/** What a 32-bit ARM image is made with (rustup, multiarch libraries) is not in the archive of older releases. */
const ARM_BASES: readonly Base[] = ["noble", "resolute"];

const PACKAGES: ItemForm = {
  pattern: /^(-\*|-?[a-z0-9][a-z0-9+.-]*)$/,
  is: "the name of a Debian package (or -name to remove one)",
  key: (item) => (item === "-*" ? item : item.replace(/^-/, "")),
};
const SNAPS: ItemForm = {
  pattern: /^[a-z0-9][a-z0-9-]*(=[a-z0-9./-]+)?(:classic)?$/,
  is: "name[=channel][:classic]",
  key: (item) => item.replace(/[=:].*$/, ""),
};
const NPM_PACKAGES: ItemForm = {
  pattern: /^(@[a-z0-9~][a-z0-9-._~]*\/)?[a-z0-9~][a-z0-9-._~]*(@[a-zA-Z0-9.^~-]+)?$/,
  is: "the name of an npm package",
  key: (item) => item.replace(/(?<=.)@.*$/, ""),
};
const RUNNER_VERSION = /^\d{1,5}\.\d{1,5}\.\d{1,5}$/;
const SERIAL = /^\d{8}(\.\d{1,5})?$/;
const SHA256 = /^[0-9a-f]{64}$/i;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const A_SECRET = "set it to the URI of a Juju secret, such as secret:cq5k...";
/** A certificate as RFC 7468 writes it. */
const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
/** More than all that browsers trust. */
const LONGEST_CERTIFICATES = 500_000;
/** Room for every limit once. */
const LONGEST_LIMITS = 1000;
/** More than the kernel's limit of one variable (MAX_ARG_STRLEN) fits no environment. */
const LONGEST_VARIABLES = 65_536;

/** {@link parseConfig} with the option `schedule`, whose parser is loaded only when it is set. */
export async function parseOptions(raw: RawConfig): Promise<BuilderConfig | ConfigError> {
  const expression = openOptionReader(raw).name("schedule");
  if (expression === "") return parseConfig(raw, null);
  const { parseExpression } = await import("./cron-expression.ts");
  // cron and this process go by the same clock: the machine's
  return parseConfig(raw, parseExpression(expression, Intl.DateTimeFormat().resolvedOptions().timeZone));
}

/**
 * The config in `raw`, or a {@link ConfigError} with one sentence per wrong option that says how to mend it. `cron`
 * is what the option `schedule` says, null where it is empty.
 */
export function parseConfig(
  raw: RawConfig,
  cron: Timing | { readonly problem: string } | null,
): BuilderConfig | ConfigError {
  const read = openOptionReader(raw);
  const { text, name, refuse, isRefused } = read;

  const arch = parseArch(text("architecture"));
  if (typeof arch !== "string") refuse("architecture", arch.fix);
  const bases = parseBases(text("base-image"));
  if ("fix" in bases) refuse("base-image", bases.fix);
  else if (arch === "arm" && bases.bases.some((base) => !ARM_BASES.includes(base)))
    refuse("base-image", `set it to ${ARM_BASES.join(" or ")}: older releases cannot be built for arm`);
  const missing = CREDENTIALS.filter((option) => text(option) === "" && !isRefused(option));
  const mirror = { empty: false, query: false };
  const hours = read.whole("build-interval", 1, 24);
  name("schedule");

  const config: BuilderConfig = {
    arch: typeof arch === "string" ? arch : "x64",
    bases: "fix" in bases ? [] : bases.bases,
    flavor: name("build-flavor"),
    network: name("build-network"),
    timing: cron === null || "problem" in cron ? { kind: "interval", hours } : cron,
    limits: timeLimits(read),
    keepRevisions: read.whole("revision-history-limit", 2, 99),
    removeDepartedImages: read.flag("remove-departed-images"),
    rebuildOnRelease: read.flag("rebuild-on-release"),
    metricsPort: read.whole("metrics-port", 0, 65_535),
    cloud: {
      authUrl: read.address("openstack-auth-url", { empty: true, query: false }),
      projectName: name("openstack-project-name"),
      projectDomainName: name("openstack-project-domain-name"),
      username: name("openstack-user-name"),
      userDomainName: name("openstack-user-domain-name"),
      region: name("openstack-region") || null,
      passwordSecret: secretUri(read, "openstack-password-secret"),
    },
    notifySecret: secretUri(read, "notify-url"),
    caCertificates: certificates(read),
    runnerVersion: formed(read, "runner-version", RUNNER_VERSION, "a version such as 2.330.0") || "latest",
    runnerMirror: read.address("runner-mirror", mirror),
    baseImageMirror: read.address("base-image-mirror", mirror),
    baseImageSerial: formed(read, "base-image-serial", SERIAL, "a serial such as 20261120 or 20261120.1"),
    requireSignature: read.flag("base-image-require-signature"),
    parallelImages: read.whole("parallel-images", 1, BASES.length),
    aptMirror: read.address("apt-mirror", { empty: true, query: false }),
    yqMirror: read.address("yq-mirror", { empty: true, query: false }),
    packages: read.list("apt-packages", PACKAGES),
    snaps: read.list("snaps", SNAPS),
    npmPackages: read.list("npm-packages", NPM_PACKAGES),
    script: parseScript(read),
  };
  const problems = [...read.problems.values()];
  if (cron !== null && "problem" in cron) problems.push(cron.problem);
  if (missing.length > 0) problems.push(`set ${missing.join(", ")}: a build needs a project to build in`);
  return problems.length === 0 ? config : new ConfigError(problems);
}

function secretUri({ text, refuse, isRefused }: OptionReader, option: string): string {
  const uri = text(option);
  if (uri !== "" && !isSecretUri(uri)) refuse(option, A_SECRET);
  return isRefused(option) ? "" : uri;
}

function certificates(read: OptionReader): string {
  const option = "ca-certificates";
  const value = read.text(option);
  if (value === "" || read.isRefused(option)) return "";
  if (value.length > LONGEST_CERTIFICATES) {
    read.refuse(option, `set it to at most ${LONGEST_CERTIFICATES} characters; it has ${value.length} now`);
    return "";
  }
  const blocks = value.match(PEM) ?? [];
  if (blocks.length === 0 || value.replace(PEM, "").trim() !== "") {
    read.refuse(
      option,
      "set it to certificates in PEM, each from -----BEGIN CERTIFICATE----- to its END line",
    );
    return "";
  }
  const bad = blocks.findIndex((block) => !isCertificate(block));
  if (bad >= 0)
    read.refuse(option, `certificate ${bad + 1} of ${blocks.length} cannot be read; copy it again`);
  return bad < 0 ? `${blocks.join("\n")}\n` : "";
}

function isCertificate(pem: string): boolean {
  // not imported: the bundle of a hook has node:crypto's functions alone
  const { X509Certificate } = process.getBuiltinModule("node:crypto");
  try {
    return new X509Certificate(pem).fingerprint256 !== "";
  } catch {
    return false;
  }
}

function timeLimits(read: OptionReader): LimitChanges {
  const option = "time-limits";
  const value = read.text(option);
  if (!read.checkText(option, value, LONGEST_LIMITS)) return {};
  const limits = parseLimits(value);
  if (!("fix" in limits)) return limits;
  read.refuse(option, limits.fix);
  return {};
}

/** An option that is empty or looks like `pattern`. */
function formed(read: OptionReader, option: string, pattern: RegExp, is: string): string {
  const value = read.text(option);
  if (value === "" || read.isRefused(option)) return "";
  if (!pattern.test(value)) read.refuse(option, `leave it empty or set it to ${is}`);
  return value;
}

function parseScript(read: OptionReader): BuilderConfig["script"] {
  const url = read.address("script-url", { empty: true, query: true });
  const id = secretUri(read, "script-secret-id");
  const inline = read.text("script-secret");
  if (id !== "" && inline !== "") read.refuse("script-secret, script-secret-id", "set only one of them");
  const sha256 = formed(read, "script-sha256", SHA256, "the 64 hexadecimal digits of the script's SHA-256");
  const variables = parseVariables(read, inline);
  if (url === "") return null;
  return { url, sha256: sha256.toLowerCase(), secret: id !== "" ? id : inline !== "" ? variables : null };
}

/** `name=value name2=value2`; nothing but a name is ever quoted, and only where a value follows it. */
function parseVariables(read: OptionReader, inline: string): Readonly<Record<string, string>> {
  const option = "script-secret";
  const variables = new Map<string, string>();
  if (inline.length > LONGEST_VARIABLES) {
    read.refuse(option, `set it to at most ${LONGEST_VARIABLES} characters; it has ${inline.length} now`);
    return {};
  }
  for (const pair of inline === "" ? [] : inline.split(/\s+/)) {
    if (!read.checkText(option, pair, LONGEST_VARIABLES)) break;
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(at, 0));
    if (!VARIABLE.test(name))
      read.refuse(option, "write it as name=value name2=value2, with names of letters, digits and _");
    else if (variables.has(name)) read.refuse(option, `give ${quote(name)} one value only`);
    variables.set(name, pair.slice(at + 1));
  }
  // fromEntries, because a variable may be called __proto__
  return Object.fromEntries(variables);
}
