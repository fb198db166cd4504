import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Build } from "../../../src/build/history.ts";
import { statusesOf, type StatusFacts } from "../../../src/charm/collect-status.ts";
import { CREDENTIAL_KEYS, readRequirer, type Requirer } from "../../../src/charm/image-relation.ts";
import { parseConfig } from "../../../src/charm/config.ts";
import { DiskFullError } from "../../../src/base/disk-full.ts";
import { ConfigError } from "../../../src/base/errors.ts";
import { BUILD_KINDS } from "../../../src/build/types.ts";
import { artifactWith, buildWith } from "../../support/builds.ts";
import { REPOSITORY } from "../../support/charm.ts";
import { configWith, factsWith, RAW_CONFIG, relationWith, requirerWith } from "../../support/facts.ts";
import { readPage, tableOf } from "../../support/docs/pages.ts";

const page = await readPage("docs/reference/statuses.md");
const forms = tableOf(page, "status").map(([form = ""]) => form);
const now = new Date("2026-11-24T00:00:00.000Z");
const next = new Date("2026-11-24T02:17:00.000Z");

/** What stands for one word; all else stands for anything. */
const ONE_WORD = ["<option>", "<id>", "<unit>", "<n>", "<image>", "<application>", "<key>", "<log>"];

/** Whether `message` is of the form `form`, whose `<...>` stand for what differs. */
function isOf(form: string, message: string): boolean {
  const parts = form
    .split(/(<[^>]*>)/)
    .map((part) => (ONE_WORD.includes(part) ? "\\S+" : part.startsWith("<") ? ".+" : RegExp.escape(part)));
  return new RegExp(`^${parts.join("")}$`, "s").test(message);
}

const step = { startedAt: "", ms: null, error: null } as const;
const running = (progress: { done: number; total: number } | null, changes: Partial<Build> = {}): Build =>
  buildWith({
    state: "running",
    steps: [{ ...step, image: "noble-x64", step: "upload the image", progress }],
    ...changes,
  });
const NOBLE = { base: "noble", arch: "x64" } as const;
const JAMMY = { base: "jammy", arch: "x64" } as const;
const served = requirerWith({ cloud: "runner", published: { id: "n1", tags: "x64,noble" } });
const told = {
  id: "20261124t000000-aaaa",
  unit: "builder/1",
  kind: "build",
  inputs: "",
  createdAt: now.toISOString(),
  targets: null,
  error: "no host",
} as const;

async function flawed(): Promise<Requirer> {
  const bag = Object.fromEntries(CREDENTIAL_KEYS.map((key) => [key, "no address"]));
  return await readRequirer(relationWith({ "runner/0": bag }), () => null);
}

function statuses(
  requirers: readonly Requirer[],
  builds: readonly Build[],
  standing: Partial<Pick<StatusFacts, "told" | "standbyFor">> = {},
  config = configWith(),
): readonly string[] {
  const leads = { standbyFor: null, told: [], artifacts: [] };
  const facts = { ...factsWith(requirers, config), ...leads, ...standing };
  return statusesOf(facts, builds, "builder", next, now).map(({ message }) => message);
}

async function allMessages(): Promise<readonly string[]> {
  const dated = buildWith({ artifacts: [artifactWith({ imageId: "n1" })] });
  const wrong = parseConfig({ ...RAW_CONFIG, architecture: "z80", "openstack-user-name": "" }, null);
  return [
    ...statuses([], []),
    ...statuses([requirerWith()], []),
    ...statuses([served], []),
    ...statuses([served], [dated]),
    ...statuses([served], [dated], {}, configWith({ "base-image": "noble,jammy" })),
    ...statuses([requirerWith({ cloud: "other" })], []),
    ...statuses([await flawed()], []),
    ...statuses([served], [running(null)]),
    ...statuses([served], [buildWith({ state: "failed", errors: ["x"], request: { kind: "adopt" } })]),
    ...statuses([served], [buildWith({ state: "queued", request: { images: [NOBLE, JAMMY] } })]),
    ...statuses([served], [running({ done: 1, total: 2 }, { targetsByImage: { "noble-x64": ["a"] } })]),
    ...BUILD_KINDS.flatMap((kind) => statuses([served], [asRunning(buildWith({ request: { kind } }))])),
    ...statuses([served], [failed("build")]),
    ...statuses([served], [failed("adopt")]),
    new DiskFullError("/var/lib/x").message,
    ...statuses([served], [buildWith({ state: "interrupted" })]),
    ...statuses([served], [buildWith({ state: "cancelled" })]),
    ...statuses([served], [], { told: [{ ...told, state: "failed" }] }),
    ...statuses([served], [], { told: [{ ...told, state: "interrupted" }] }),
    ...statuses([served], [], { told: [{ ...told, state: "running", createdAt: new Date().toISOString() }] }),
    ...(wrong instanceof ConfigError ? wrong.problems : []),
  ];
}

const failed = (kind: Build["request"]["kind"]): Build =>
  buildWith({ state: "failed", errors: ["noble-x64: no"], advice: "look", request: { kind } });

const asRunning = (build: Build): Build => ({
  ...build,
  state: "running",
  steps: [{ ...step, image: "noble-x64", step: "prepare the base image", progress: null }],
});

describe("the statuses", () => {
  test("are of the forms on the page, and each form there is one that comes up", async () => {
    const messages = await allMessages();
    expect(messages.filter((message) => !forms.some((form) => isOf(form, message)))).toEqual([]);
    expect(forms.filter((form) => !messages.some((message) => isOf(form, message)))).toEqual([]);
  });

  test("that the charm's sources set are on the page", async () => {
    const texts: string[] = [];
    for await (const path of glob("src/charm/**/*.ts", { cwd: REPOSITORY })) {
      const source = await readFile(join(REPOSITORY, path), "utf8");
      const calls = source.matchAll(/\b(?:active|blocked|maintenance|waiting)\(\s*`([^`]*)`/g);
      for (const [, text = ""] of calls) texts.push(text.replaceAll(/\$\{[^}]*\}/g, "X"));
    }
    expect(texts.length).toBeGreaterThan(6);
    const isKnown = (text: string): boolean => {
      const parts = text.split("X").filter((part) => part.length > 3);
      return forms.some((form) => parts.every((part) => form.includes(part)));
    };
    expect(texts.filter((text) => !isKnown(text))).toEqual([]);
  });
});
