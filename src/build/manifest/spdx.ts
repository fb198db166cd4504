/** The manifest as SPDX 2.3 JSON (https://spdx.github.io/spdx-spec/v2.3/), and back. */
import * as v from "valibot";
import { ConfigError } from "../../base/errors.ts";
import { KINDS, type Component, type GuestContents } from "./manifest.ts";

/** What a document says beside the guest's contents. */
export interface DocumentFacts {
  readonly buildId: string;
  /** `noble-x64`. */
  readonly image: string;
  /** Which model it was made in: makes the document's namespace unique. */
  readonly modelUuid: string;
  readonly created: Date;
  /** Serial of the base image as the mirror calls it; null where neither mirror nor guest names one. */
  readonly serial: string | null;
  /** Hex. */
  readonly baseImageSha256: string;
  /** Hex, see `recipe-digest.ts`. */
  readonly recipeDigest: string;
}

const TOOL = "Tool: github-runner-image-builder";
const NOTHING_KNOWN = {
  downloadLocation: "NOASSERTION",
  filesAnalyzed: false,
  licenseConcluded: "NOASSERTION",
  licenseDeclared: "NOASSERTION",
  copyrightText: "NOASSERTION",
} as const;
/** A package's `sourceInfo` begins with its kind: what a reader of ours goes by. */
const SOURCE = /^(image|deb|snap|npm|pip)(?: (.*))?$/;

/** The text of the SPDX document; the same input gives the same bytes. */
export function renderSpdx(contents: GuestContents, facts: DocumentFacts): string {
  const created = facts.created.toISOString().replace(/\.\d+Z$/, "Z");
  const components = [...imageComponents(contents, facts), ...contents.components];
  const packages = components.map((component, at) => ({
    SPDXID: `SPDXRef-${component.kind}-${at}`,
    name: component.name,
    versionInfo: component.version,
    ...NOTHING_KNOWN,
    sourceInfo: component.variant === "" ? component.kind : `${component.kind} ${component.variant}`,
    externalRefs: [
      {
        referenceCategory: "PACKAGE-MANAGER",
        referenceType: "purl",
        referenceLocator: purlOf(component, contents),
      },
    ],
  }));
  const note = (comment: string): object => ({
    annotationType: "OTHER",
    annotator: TOOL,
    annotationDate: created,
    comment,
  });
  const root = {
    SPDXID: "SPDXRef-Image",
    name: facts.image,
    versionInfo: facts.buildId,
    ...NOTHING_KNOWN,
    annotations: [
      ...contents.sections.map(({ name, seconds, tries }) =>
        note(`section ${name}: ${seconds} s, ${tries} ${tries === 1 ? "try" : "tries"}`),
      ),
      ...contents.notRead.map((text) => note(`not read: ${text}`)),
    ],
  };
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `${facts.image} ${facts.buildId}`,
    documentNamespace: `urn:github-runner-image-builder:${facts.modelUuid}:${facts.buildId}:${facts.image}`,
    creationInfo: { created, creators: [TOOL] },
    documentDescribes: [root.SPDXID],
    packages: [root, ...packages],
    relationships: [
      relation("SPDXRef-DOCUMENT", "DESCRIBES", root.SPDXID),
      ...packages.map(({ SPDXID }) => relation(root.SPDXID, "CONTAINS", SPDXID)),
    ],
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

function relation(from: string, relationshipType: string, to: string): object {
  return { spdxElementId: from, relationshipType, relatedSpdxElement: to };
}

function imageComponents(contents: GuestContents, facts: DocumentFacts): readonly Component[] {
  const { release, kernel, runnerVersion } = contents;
  const part = (name: string, version: string): Component => ({ kind: "image", name, version, variant: "" });
  const serial = facts.serial === null ? "" : `${facts.serial} `;
  return [
    part(release.id, release.version),
    part("base image", `${serial}sha256:${facts.baseImageSha256}`),
    part("kernel", kernel),
    part("actions-runner", runnerVersion),
    part("recipe", `sha256:${facts.recipeDigest}`),
  ];
}

/** The component's package URL (https://github.com/package-url/purl-spec). */
function purlOf({ kind, name, version, variant }: Component, { release }: GuestContents): string {
  const at = `@${encodeURIComponent(version)}`;
  switch (kind) {
    case "deb":
      return `pkg:deb/${release.id}/${encodeURIComponent(name)}${at}?arch=${variant}&distro=${release.id}-${release.version}`;
    case "npm":
      // a scope is the purl's namespace: its slash stays
      return `pkg:npm/${name.split("/").map(encodeURIComponent).join("/")}${at}`;
    case "pip":
      return `pkg:pypi/${encodeURIComponent(name.toLowerCase().replaceAll("_", "-"))}${at}`;
    case "snap":
      return `pkg:generic/snap/${encodeURIComponent(name)}${at}`;
    case "image":
      return name === "actions-runner"
        ? `pkg:github/actions/runner@v${version}`
        : `pkg:generic/image/${encodeURIComponent(name)}${at}`;
  }
}

const documentSchema = v.object({
  spdxVersion: v.literal("SPDX-2.3"),
  packages: v.array(
    v.object({
      name: v.string(),
      versionInfo: v.optional(v.string(), ""),
      sourceInfo: v.optional(v.string(), ""),
    }),
  ),
});

/** The components in a document that {@link renderSpdx} made; throws {@link ConfigError} naming `source` otherwise. */
export function parseSpdx(json: string, source: string): readonly Component[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new ConfigError([`${source} is not JSON`], { cause: error });
  }
  const result = v.safeParse(documentSchema, value);
  if (!result.success) throw new ConfigError([`${source} is no manifest of an image (SPDX 2.3)`]);
  return result.output.packages.flatMap(({ name, versionInfo, sourceInfo }) => {
    const [, found, variant = ""] = SOURCE.exec(sourceInfo) ?? [];
    const kind = KINDS.find((one) => one === found);
    return kind === undefined ? [] : [{ kind, name, version: versionInfo, variant }];
  });
}
