/** What a charm file may hold: all that a unit needs, and nothing else. */
import type { CharmPackage, PackageEntry } from "./package.ts";

const NEEDED = ["bin/image-builder", "icon.svg", "README.md", "LICENSE", "version"];

/** What is in the charm's folder, and below each folder of it. */
const PLACES =
  /^(?:(?:metadata|config|actions|manifest)\.yaml|dispatch|version|icon\.svg|README\.md|LICENSE|bin\/image-builder|node\/bin\/node|(?:dist|licenses)\/.+)$/;

const STRAYS: readonly (readonly [RegExp, string])[] = [
  [/\.[cm]?ts$/, "is source, and the bundles are what runs"],
  [/\.map$/, "is a source map"],
  [/(^|\/)(tests?|__tests__|coverage|fixtures)\/|\.(test|spec)\./, "is a test"],
  [/(^|\/)(node_modules|\.git|\.cache)\//, "is of the checkout"],
  [/(^|\/)\.[^/]+$/, "is a hidden file"],
  [/(^|\/)(clouds\.yaml|id_(rsa|ed25519|ecdsa)|.*\.(key|pem|p12|pfx|env))$/, "may be a secret"],
];

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}/;

/** What is missing, and what has no business in a charm. */
export function contentProblems({ files }: CharmPackage): readonly string[] {
  const missing = NEEDED.filter((path) => !files.has(path)).map((path) => `${path}: is missing`);
  const program = files.get("bin/image-builder");
  if (program !== undefined && program.mode !== 0o755)
    missing.push("bin/image-builder: has not the mode 0755");
  return [...missing, ...[...files.values()].flatMap(strayProblems)];
}

function strayProblems({ path, content }: PackageEntry): readonly string[] {
  const problems = STRAYS.filter(([pattern]) => pattern.test(path)).map(([, reason]) => `${path}: ${reason}`);
  if (problems.length === 0 && !PLACES.test(path)) problems.push(`${path}: has no place in the charm`);
  // node's own programs for tests are in its binary
  if (path === "node/bin/node") return problems;
  const text = content.toString("latin1");
  if (PRIVATE_KEY.test(text)) problems.push(`${path}: holds a private key`);
  if (/\.[cm]?js$/.test(path) && text.includes("//# sourceMappingURL="))
    problems.push(`${path}: points to a source map`);
  return problems;
}
