/** `npm run lab -- up|down|status|env|reset [--fake] [--wipe]`: the lab for a person at a shell. */
import { CancelledError, describe } from "../src/base/errors.ts";
import { labDown, labUp } from "./lab.ts";
import type { LabKind } from "./lab.ts";

const [command, ...flags] = process.argv.slice(2);
const kind: LabKind = flags.includes("--fake") ? "fake" : "real";
const cancel = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => cancel.abort(new CancelledError(`ended by ${name}`)));
}
const options = { log: (line: string) => console.log(line), signal: cancel.signal };

try {
  if (command === "up") await labUp(kind, options);
  else if (command === "down") await labDown(kind, { ...options, wipe: flags.includes("--wipe") });
  else throw new Error("usage: npm run lab -- up|down [--fake] [--wipe]");
} catch (error) {
  console.error(describe(error));
  process.exitCode = 1;
}
