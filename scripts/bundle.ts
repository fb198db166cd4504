/**
 * Makes `dist/`, which runs outside any node_modules: the bundles of charm and command line, the shell files
 * that they read, and what lazy imports load. `dispatch` runs it where it exists. usage: bundle.ts [FOLDER]
 */
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle/bundle.ts";

const target = process.argv[2] ?? fileURLToPath(new URL("../dist", import.meta.url));
for (const { file, bytes } of await bundle(target)) {
  console.log(`${String(Math.ceil(bytes / 1024)).padStart(5)} KiB  ${file}`);
}
