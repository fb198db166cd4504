/** Which Debian packages an image gets. */
import type { ImageSpec } from "../types.ts";

/** Packages of every image, unless the operator takes them out. */
const COMMON = [
  "build-essential",
  "docker.io",
  "gh",
  "jq",
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

/**
 * The default packages of `spec` changed by the operator's list: `name` adds, `-name` removes, `-*` removes
 * all defaults. Order: defaults, then additions; no package twice.
 */
export function packagesFor(spec: ImageSpec, changes: readonly string[]): readonly string[] {
  const removed = new Set(changes.filter((name) => name.startsWith("-")).map((name) => name.slice(1)));
  const defaults = [
    ...COMMON,
    ...(spec.arch === "arm" ? ["rustup", "docker-buildx"] : RUST),
    ...(spec.base === "focal" ? ["nftables"] : []),
    ...(spec.arch === "s390x" || spec.arch === "ppc64le" ? ["dotnet-runtime-8.0"] : []),
  ];
  const kept = removed.has("*") ? [] : defaults.filter((name) => !removed.has(name));
  return [...new Set([...kept, ...changes.filter((name) => !name.startsWith("-"))])];
}
