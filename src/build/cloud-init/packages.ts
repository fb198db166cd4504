/** Which Debian packages an image gets. */
import { AppError } from "../../base/errors.ts";
import { specName, type Base, type ImageSpec } from "../types.ts";

/** Packages of every image, unless the operator takes them out. */
const COMMON = [
  "build-essential",
  "docker.io",
  "gh",
  "jq",
  // runners load their own rules at boot, and aproxy needs some
  "nftables",
  "npm",
  "pkg-config",
  "python-is-python3",
  "python3-dev",
  "python3-pip",
  "shellcheck",
  "socat",
  "tar",
  "time",
  "unzip",
  "wget",
] as const;

/** Rust from the archive; 32-bit ARM takes it from rustup. */
const RUST = ["cargo", "rustc"] as const;

/** ICU's package for .NET, which the 32-bit runner is made with; older releases lack the rest of what it needs. */
const ICU: Readonly<Record<Base, string | null>> = {
  focal: null,
  jammy: null,
  noble: "libicu74",
  resolute: "libicu78",
};

/**
 * The default packages of `spec` changed by the operator's list: `name` adds, `-name` removes, `-*` removes
 * all defaults. Order: defaults, then additions; no package twice. Throws for a release that cannot be built
 * for `arm`.
 */
export function packagesFor(spec: ImageSpec, changes: readonly string[]): readonly string[] {
  const removed = new Set(changes.filter((name) => name.startsWith("-")).map((name) => name.slice(1)));
  const rare = spec.arch === "s390x" || spec.arch === "ppc64le";
  const defaults = [
    // neither focal's archive nor GitHub CLI's repository has gh for these
    ...COMMON.filter((name) => !(name === "gh" && spec.base === "focal" && rare)),
    ...(spec.arch === "arm" ? armPackages(spec) : RUST),
    ...(rare ? ["dotnet-runtime-8.0"] : []),
  ];
  const kept = removed.has("*") ? [] : defaults.filter((name) => !removed.has(name));
  return [...new Set([...kept, ...changes.filter((name) => !name.startsWith("-"))])];
}

/** 32-bit ARM images are 64-bit systems with the libraries that the 32-bit runner is linked to. */
function armPackages(spec: ImageSpec): readonly string[] {
  const icu = ICU[spec.base];
  if (icu === null) throw new AppError(`cannot make ${specName(spec)}: arm needs noble or resolute`);
  return ["rustup", "docker-buildx", "libc6:armhf", "libatomic1:armhf", `${icu}:armhf`];
}
