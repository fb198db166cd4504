/** Reads what `guest/manifest.sh` prints. */
import * as v from "valibot";
import { AppError } from "../../base/errors.ts";
import type { Component, GuestContents, SectionRun } from "./manifest.ts";

const npmSchema = v.object({
  dependencies: v.optional(v.record(v.string(), v.object({ version: v.optional(v.string(), "") })), {}),
});
const pipSchema = v.array(v.object({ name: v.string(), version: v.string() }));

/** The contents in the script's output; throws {@link AppError} when a part that must be there is not. */
export function parseGuestContents(output: string): GuestContents {
  const parts = new Map<string, string[]>();
  const notRead: string[] = [];
  let lines: string[] = [];
  for (const line of output.split("\n")) {
    if (line.startsWith("@")) parts.set(line.slice(1), (lines = []));
    else if (line.startsWith("!")) notRead.push(line.slice(1));
    else if (line !== "") lines.push(line);
  }
  const part = (name: string): readonly string[] => parts.get(name) ?? [];
  const guarded = (name: string, read: (lines: readonly string[]) => readonly Component[]) => {
    try {
      return read(part(name));
    } catch (error) {
      notRead.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  };
  const os = Object.fromEntries(part("os").flatMap(parseAssignment));
  const deb = part("deb").flatMap(parseDeb);
  if (deb.length === 0) throw new AppError("cannot read the image's packages: the guest names none");
  const [running = "", installed = running] = part("kernel");
  const [runnerVersion] = part("runner");
  if (runnerVersion === undefined) throw new AppError("cannot read the runner's version in the guest");
  return {
    release: {
      id: os["ID"] ?? "",
      version: os["VERSION_ID"] ?? "",
      codename: os["VERSION_CODENAME"] ?? "",
    },
    serial: part("serial")[0] ?? null,
    kernel: installed,
    runnerVersion,
    components: [
      ...deb,
      ...guarded("snap", (rows) => rows.slice(1).flatMap(parseSnap)),
      ...guarded("npm", parseNpm),
      ...guarded("pip", parsePip),
    ],
    sections: part("sections").flatMap(parseSection),
    notRead,
  };
}

/** A line of os-release(5). */
function parseAssignment(line: string): [string, string][] {
  const [, name, value] = /^([A-Z0-9_]+)=(.*)$/.exec(line) ?? [];
  return name === undefined || value === undefined ? [] : [[name, value.replace(/^(["'])(.*)\1$/, "$2")]];
}

function parseDeb(line: string): Component[] {
  const [status = "", name = "", version = "", variant = ""] = line.split("\t");
  // the second letter is the state (the first is what is wanted: `hi` is on hold, and there); removed packages
  // whose configuration is still there have no files in the image
  return /^.[^nc]/.test(status) && name !== "" ? [{ kind: "deb", name, version, variant }] : [];
}

function parseSnap(line: string): Component[] {
  const [name, version, revision, variant] = line.trim().split(/\s+/);
  if (name === undefined || version === undefined || revision === undefined) return [];
  return [{ kind: "snap", name, version: `${version} (${revision})`, variant: variant ?? "" }];
}

function parseNpm(lines: readonly string[]): readonly Component[] {
  if (lines.length === 0) return [];
  const { dependencies } = v.parse(npmSchema, JSON.parse(lines.join("\n")));
  return Object.entries(dependencies).map(([name, { version }]) => ({
    kind: "npm",
    name,
    version,
    variant: "",
  }));
}

function parsePip(lines: readonly string[]): readonly Component[] {
  if (lines.length === 0) return [];
  return v
    .parse(pipSchema, JSON.parse(lines.join("\n")))
    .map(({ name, version }) => ({ kind: "pip", name, version, variant: "" }));
}

function parseSection(line: string): SectionRun[] {
  const [name, seconds, tries] = line.split("\t");
  return name === undefined || seconds === undefined || tries === undefined
    ? []
    : [{ name, seconds: Number(seconds), tries: Number(tries) }];
}
