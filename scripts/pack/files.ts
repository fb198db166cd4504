/** All that is in a charm, but for what differs from base to base. */
import { chmod, glob, mkdir, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bundle } from "../bundle/bundle.ts";
import { licenceFiles } from "./licences.ts";
import { manifestText } from "./manifest.ts";
import type { NodeRuntime } from "./node-runtime.ts";
import type { Platform } from "./platforms.ts";
import { REPOSITORY } from "./repository.ts";
import type { PackedFile } from "./zip.ts";

/** What Juju reads of a charm, and charmcraft brings along by itself. */
const DECLARATIONS = ["metadata.yaml", "config.yaml", "actions.yaml"] as const;

const AS_THEY_ARE = ["dispatch", "bin/image-builder", "icon.svg", "README.md", "LICENSE"] as const;

/**
 * The files of a charm with `node`, without declarations and manifest: `dispatch`, the bundles of charm and command
 * line, Node.js, licences. `version` is what `juju status` shows.
 */
export async function charmFiles(node: NodeRuntime, version: string): Promise<readonly PackedFile[]> {
  await using temporary = await mkdtempDisposable(join(tmpdir(), "pack-"));
  const bundled = await bundle(temporary.path);
  const contents = new Map<string, Buffer>();
  for await (const entry of glob("**/*", { cwd: temporary.path, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    contents.set(`dist/${path.slice(temporary.path.length + 1)}`, await readFile(path));
  }
  for (const path of AS_THEY_ARE) contents.set(path, await readFile(join(REPOSITORY, path)));
  contents.set("version", Buffer.from(`${version}\n`));
  contents.set("node/bin/node", node.program);
  const packages = new Set(bundled.flatMap((file) => file.packages));
  for (const { path, text } of await licenceFiles(node, packages)) contents.set(path, Buffer.from(text));

  const executable = new Set(["dispatch", "bin/image-builder", "node/bin/node", entryPoint(contents)]);
  return [...contents].map(([path, content]) => ({ path, content, isExecutable: executable.has(path) }));
}

/** What charmcraft adds to {@link charmFiles} by itself: the declarations, and the manifest for `platform`. */
export async function declarationFiles(platform: Platform): Promise<readonly PackedFile[]> {
  const files: PackedFile[] = [];
  for (const path of DECLARATIONS)
    files.push({ path, content: await readFile(join(REPOSITORY, path)), isExecutable: false });
  return [
    ...files,
    { path: "manifest.yaml", content: Buffer.from(manifestText(platform)), isExecutable: false },
  ];
}

/** Puts `files` below `folder`, with the modes that they have in a charm file. */
export async function placeFiles(folder: string, files: readonly PackedFile[]): Promise<void> {
  for (const { path, content, isExecutable } of files) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
    await chmod(target, isExecutable ? 0o755 : 0o644);
  }
}

/** What `dispatch` ends in; charmcraft's checker wants it executable, though node only reads it. */
function entryPoint(contents: ReadonlyMap<string, Buffer>): string {
  return contents.get("dispatch")?.toString("utf8").trimEnd().split(/\s/).at(-1) ?? "";
}
