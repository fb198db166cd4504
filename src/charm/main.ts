/** Entry of the charm: `./dispatch` runs this for every hook, action and custom event. */
import { fileURLToPath } from "node:url";
import { createLogger } from "../base/log.ts";
import { runHookProcess } from "../juju/index.ts";
import { createCharm } from "./charm.ts";

const charm = createCharm({
  // relocated in tests and in the lab alone; Juju gives hooks no such variable
  root: process.env["IMAGE_BUILDER_ROOT"] ?? "/",
  // a small young generation: what streams through is freed at once and not gathered first
  builder: [
    process.execPath,
    "--max-semi-space-size=1",
    fileURLToPath(new URL("../cli/main.ts", import.meta.url)),
  ],
  path: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
});

await runHookProcess(charm, process, { createLogger, logLevel: "info" });
