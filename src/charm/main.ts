/** Entry of the charm: `./dispatch` runs this for every hook, action and custom event. */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { CharmEnvironment } from "./environment.ts";
import { tellIdleStatus } from "./idle.ts";

const environment: CharmEnvironment = {
  // relocated in tests and in the lab alone; Juju gives hooks no such variable
  root: process.env["IMAGE_BUILDER_ROOT"] ?? "/",
  // a small young generation: what streams through is freed at once and not gathered first
  builder: [
    process.execPath,
    "--max-semi-space-size=1",
    // url.parse() in the HTTP library below pkgcloud: nothing for the operator, whose journal would warn of it in each build
    "--disable-warning=DEP0169",
    // a bundled charm (`main.mjs`) has a bundled builder beside it
    fileURLToPath(new URL(`../cli/main${extname(import.meta.url)}`, import.meta.url)),
  ],
  path: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
};

if (!(await tellIdleStatus(process.env, environment))) {
  const { runFullDispatch } = await import("./full-dispatch.ts");
  await runFullDispatch(environment, process);
}
