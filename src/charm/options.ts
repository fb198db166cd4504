/** Forms of option values that more than one place reads. */
import { ARCHITECTURES, BASES, type Arch, type Base } from "../build/types.ts";

const ARCH_SPELLINGS: Readonly<Record<string, Arch>> = {
  x64: "x64",
  amd64: "x64",
  x86_64: "x64",
  arm64: "arm64",
  aarch64: "arm64",
  s390x: "s390x",
  ppc64le: "ppc64le",
  ppc64el: "ppc64le",
  arm: "arm",
  armhf: "arm",
  armv7l: "arm",
};

const BASE_SPELLINGS: Readonly<Record<string, Base>> = {
  "20.04": "focal",
  "22.04": "jammy",
  "24.04": "noble",
  "26.04": "resolute",
  ...Object.fromEntries(BASES.map((base) => [base, base])),
};

/** The architecture that `text` names, in any case and any of its usual spellings; else what to set it to. */
export function parseArch(text: string): Arch | { readonly fix: string } {
  const arch = Object.hasOwn(ARCH_SPELLINGS, text.toLowerCase())
    ? ARCH_SPELLINGS[text.toLowerCase()]
    : undefined;
  return arch ?? { fix: `set it to one of ${ARCHITECTURES.join(", ")}` };
}

/** The releases that a comma-separated list names, in its order, none twice; else what to set it to. */
export function parseBases(text: string): { readonly bases: readonly Base[] } | { readonly fix: string } {
  const items = splitList(text.toLowerCase());
  const bases = items.map((item) => (Object.hasOwn(BASE_SPELLINGS, item) ? BASE_SPELLINGS[item] : undefined));
  if (items.length === 0 || bases.includes(undefined)) {
    return { fix: `set it to a comma-separated list of ${BASES.join(", ")}` };
  }
  return { bases: [...new Set(bases as Base[])] };
}

/** The items of a comma-separated list, trimmed; empty ones are left out. */
export function splitList(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
