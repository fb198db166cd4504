/** From source to bundles, with esbuild. */
import { cp, glob, mkdir, rm } from "node:fs/promises";
import { dirname, join, parse, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { builtins, droppablePackages, inFilesOfTheirOwn, openstackOnly, sourceUrls } from "./plugins.ts";

/** One JavaScript file of a bundle. */
export interface BundledFile {
  /** Path below the bundle's folder. */
  readonly file: string;
  readonly bytes: number;
  /** The npm packages whose code is in it. */
  readonly packages: readonly string[];
}

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Many packages are CommonJS: in an ES module their `require` for Node's own modules needs one. What is not
 * bundled is missing, and said to be so in Node's way; `createRequire` would load Node's source maps for that.
 */
const REQUIRE = [
  "const require=(id)=>{const found=process.getBuiltinModule(id);if(found)return found;",
  'throw Object.assign(new Error(`cannot find ${id}`),{code:"MODULE_NOT_FOUND"})};',
].join("");

const SOURCE = join(REPOSITORY, "src");

const CHARM: Program = {
  name: "charm",
  entry: join(SOURCE, "charm/main.ts"),
  isHook: true,
  apart: [
    // what an idle look has no use for
    join(SOURCE, "charm/full-dispatch.ts"),
    // node-cron and js-yaml, which have a use only where `schedule` or `remove-departed-images` is set
    join(SOURCE, "charm/cron-expression.ts"),
    join(SOURCE, "charm/read-clouds.ts"),
    // rules and dashboards, which few hooks write
    join(SOURCE, "charm/cos/observe.ts"),
  ],
};
const COMMAND_LINE: Program = { name: "cli", entry: join(SOURCE, "cli/main.ts"), isHook: false, apart: [] };

/**
 * Bundles charm and command line into `folder`, which is replaced: `charm/main.mjs` and `cli/main.mjs` as under
 * `src/`, beside each what it loads lazily, and the shell and key files under their paths in `src/`. Gives the
 * JavaScript files. Throws esbuild's error when something cannot be resolved.
 */
export async function bundle(folder: string): Promise<readonly BundledFile[]> {
  await rm(folder, { recursive: true, force: true });
  // each by itself: what both use would be one file with all that either needs of it
  const files = [...(await bundleProgram(CHARM, folder)), ...(await bundleProgram(COMMAND_LINE, folder))];
  for await (const file of glob("**/*.{sh,asc}", { cwd: SOURCE })) {
    await mkdir(join(folder, dirname(file)), { recursive: true });
    await cp(join(SOURCE, file), join(folder, file));
  }
  return files;
}

/** What is bundled: `entry` becomes `<name>/main.mjs`. */
export interface Program {
  readonly name: string;
  readonly entry: string;
  /** It does one thing at a time, and starts often. */
  readonly isHook: boolean;
  /** Modules that few runs load: each is a file `<name>/<module>.mjs`, with all that it needs in it. */
  readonly apart: readonly string[];
}

/** Bundles one program into `folder`, without the shell files. */
export async function bundleProgram(program: Program, folder: string): Promise<readonly BundledFile[]> {
  const { name, entry, isHook, apart } = program;
  const { metafile } = await build({
    absWorkingDir: REPOSITORY,
    entryPoints: {
      [`${name}/main`]: entry,
      ...Object.fromEntries(apart.map((path) => [`${name}/${parse(path).name}`, path])),
    },
    outdir: folder,
    // one folder below the bundle's, like the entry: `sourceUrls` counts on it
    chunkNames: `${name}/[name]-[hash]`,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    // one file is opened faster than five; what the builder may need is too much for that
    splitting: !isHook,
    format: "esm",
    platform: "node",
    target: "node24",
    minify: true,
    metafile: true,
    logLevel: "warning",
    define: { __dirname: "import.meta.dirname", __filename: "import.meta.filename" },
    banner: { js: REQUIRE },
    plugins: [
      openstackOnly,
      builtins(isHook),
      droppablePackages,
      inFilesOfTheirOwn(apart),
      sourceUrls(SOURCE),
    ],
    // optional speed-ups of ssh2, which are not built; it catches that they are missing
    external: ["cpu-features", "*.node"],
  });
  return Object.entries(metafile.outputs).map(([path, { bytes, inputs }]) => ({
    file: relative(folder, join(REPOSITORY, path)),
    bytes,
    packages: [...new Set(Object.keys(inputs).flatMap(packageOf))].toSorted(),
  }));
}

function packageOf(input: string): string[] {
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input) ?? [];
  return name === undefined ? [] : [name];
}
