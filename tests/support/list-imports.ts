/** Prints what importing a module loads, one address a line. usage: node list-imports.ts FILE-URL */
import { registerHooks } from "node:module";

registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context);
    console.log(resolved.url);
    return resolved;
  },
});
await import(process.argv[2] ?? "");
