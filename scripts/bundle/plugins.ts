/** What esbuild has to be told about pkgcloud, and about modules that read files beside them. */
import { readFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
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
