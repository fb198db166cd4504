/** The Node.js in the charm. */
import { ARCHITECTURES } from "../pack/platforms.ts";
import { architecturesOf } from "./declarations.ts";
import { readNeeds } from "./elf.ts";
import type { CharmPackage } from "./package.ts";

const NODE = "node/bin/node";

/** What every Ubuntu machine has, cloud images included. */
const LIBRARIES = [
  "libc.so.6",
  "libdl.so.2",
  "libgcc_s.so.1",
  "libm.so.6",
  "libpthread.so.0",
  "libstdc++.so.6",
];
const LOADER = /^ld-linux-(x86-64|aarch64)\.so\.\d$/;

/** The newest versions of symbols in Ubuntu 22.04, the oldest base: glibc 2.35, GCC 12.3. */
const NEWEST: Readonly<Record<string, readonly number[]>> = {
  GLIBC: [2, 35],
  GLIBCXX: [3, 4, 30],
  CXXABI: [1, 3, 13],
  GCC: [12, 0, 0],
};

/** Why the charm's Node.js would not start on the machines that the manifest names. */
export function runtimeProblems(charm: CharmPackage): readonly string[] {
  const file = charm.files.get(NODE);
  if (file === undefined) return [`${NODE}: is missing, and Ubuntu has no Node.js`];
  const problems: string[] = [];
  if (file.mode !== 0o755) problems.push(`${NODE}: has not the mode 0755`);
  const needs = readNeeds(file.content);
  if (needs === undefined) return [...problems, `${NODE}: is no program for 64-bit Linux`];
  for (const [name, { elfMachine }] of Object.entries(ARCHITECTURES)) {
    if (architecturesOf(charm).includes(name) && needs.machine !== elfMachine)
      problems.push(`${NODE}: is for the machine type ${needs.machine}, but the manifest says ${name}`);
  }
  for (const library of needs.libraries.filter((name) => !LIBRARIES.includes(name) && !LOADER.test(name)))
    problems.push(`${NODE}: needs ${library}, which not every Ubuntu machine has`);
  for (const version of new Set(needs.versions.filter(isTooNew)))
    problems.push(`${NODE}: needs ${version}, which Ubuntu 22.04 has not`);
  if (needs.hasSymbols) problems.push(`${NODE}: has its symbols, which nobody needs on a unit`);
  return problems;
}

function isTooNew(version: string): boolean {
  const [, family = "", digits = ""] = /^([A-Z]+)_([\d.]+)$/.exec(version) ?? [];
  const newest = NEWEST[family];
  if (newest === undefined) return true;
  const numbers = digits.split(".").map(Number);
  const index = newest.findIndex((limit, at) => (numbers[at] ?? 0) !== limit);
  return index === -1 ? numbers.length > newest.length : (numbers[index] ?? 0) > (newest[index] ?? 0);
}
