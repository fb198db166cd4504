/** What esbuild has to be told about pkgcloud, and about modules that read files beside them. */
import crypto from "node:crypto";
import files, { readFile } from "node:fs/promises";
import { dirname, parse, relative, resolve } from "node:path";
import type { Plugin } from "esbuild";

/**
 * Of pkgcloud, OpenStack alone. Its root module requires every provider by a computed name, with their XML
 * templates; the OpenStack code asks it for the version only. And one parameter has a name that is reserved
 * in ES modules.
 */
export const openstackOnly: Plugin = {
  name: "openstack-only",
  setup(build) {
    build.onLoad({ filter: /[\\/]pkgcloud[\\/]lib[\\/]pkgcloud\.js$/ }, ({ path }) => ({
      resolveDir: dirname(path),
      loader: "js",
      contents:
        'exports.version = require("../package.json").version; exports.providers = { openstack: {} };',
    }));
    build.onLoad({ filter: /[\\/]openstack[\\/]compute[\\/]server\.js$/ }, async ({ path }) => ({
      loader: "js",
      contents: (await readFile(path, "utf8"))
        .replace("function (interface)", "function (face)")
        .replace("interfaces[interface]", "interfaces[face]"),
    }));
  },
};

/**
 * Node's own modules through `process.getBuiltinModule`, and only where something of them is used. An `import`
 * reads everything that a module exports: `node:http` then loads undici and `node:crypto` its WebCrypto, which
 * cost as much as all else that an idle hook does. `isHook`: a process that does one thing at a time and soon
 * ends; small files are read there without starting Node's threads.
 */
export function builtins(isHook: boolean): Plugin {
  const text = (path: string): string => {
    if (path === "node:crypto") return onFirstCall(path, crypto, []);
    if (isHook && path === "node:fs/promises") return onFirstCall(path, files, AT_ONCE);
    return `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`;
  };
  return {
    name: "builtins",
    setup(build) {
      build.onResolve({ filter: /^node:/ }, ({ path }) => ({
        path,
        namespace: "builtin",
        sideEffects: false,
      }));
      build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({ contents: text(path) }));
    },
  };
}

/** Functions of `node:fs/promises` whose twins in `node:fs` take and give the same. */
const AT_ONCE: readonly string[] = [
  "access",
  "chmod",
  "mkdir",
  "readFile",
  "readdir",
  "rename",
  "rm",
  "stat",
];

/**
 * A module whose functions load `path` when they are called, but for those named in `atOnce`. What is no
 * function of `loaded`, its exports, is left out.
 */
function onFirstCall(path: string, loaded: object, atOnce: readonly string[]): string {
  const isFunction = ([, value]: readonly [string, unknown]): boolean =>
    typeof value === "function" && !/^[A-Z]/.test(value.name);
  return Object.entries(Object.getOwnPropertyDescriptors(loaded))
    .map(([name, { value }]) => [name, value as unknown] as const)
    .filter(isFunction)
    .map(([name]) =>
      atOnce.includes(name)
        ? `export const ${name} = async (...given) => process.getBuiltinModule("node:fs").${name}Sync(...given);`
        : `export const ${name} = (...given) => process.getBuiltinModule("${path}").${name}(...given);`,
    )
    .join("\n");
}

/** Packages that do not say so themselves, but only define things: they go where nothing of them is used. */
export const droppablePackages: Plugin = {
  name: "droppable-packages",
  setup(build) {
    build.onResolve({ filter: /^js-yaml$/ }, async ({ path, ...rest }) => {
      if (rest.pluginData === droppablePackages) return undefined;
      const found = await build.resolve(path, { ...rest, pluginData: droppablePackages });
      return { ...found, sideEffects: false };
    });
  },
};

/** Leaves the lazy imports of `modules` to Node, which finds each as `<module>.mjs` beside the importing file. */
export function inFilesOfTheirOwn(modules: readonly string[]): Plugin {
  return {
    name: "in-files-of-their-own",
    setup(build) {
      build.onResolve({ filter: /\.ts$/ }, ({ kind, path, resolveDir }) => {
        const isApart = kind === "dynamic-import" && modules.includes(resolve(resolveDir, path));
        return isApart ? { path: `./${parse(path).name}.mjs`, external: true } : undefined;
      });
    },
  };
}

/**
 * Keeps `import.meta.url` true of the module that says it, not of the chunk that it ends up in: a file below
 * `source` takes its own path below the bundle's folder. Entries need no help, they keep their place.
 */
export function sourceUrls(source: string): Plugin {
  return {
    name: "source-urls",
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const below = relative(source, path);
        if (below.startsWith("..") || /^[a-z]+\/main\.ts$/.test(below)) return undefined;
        const text = await readFile(path, "utf8");
        if (!text.includes("import.meta.url")) return undefined;
        const url = `new URL(${JSON.stringify(`../${below}`)}, import.meta.url)`;
        return { loader: "ts", contents: text.replaceAll("import.meta.url", url) };
      });
    },
  };
}
