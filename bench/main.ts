/** Measures. usage: main.ts dispatch. Exit code 1 when a figure is above its limit. */
import { benchDispatch } from "./dispatch.ts";

const BENCHES: Readonly<Record<string, () => Promise<boolean>>> = { dispatch: benchDispatch };

const [name = "dispatch"] = process.argv.slice(2);
const run = BENCHES[name];
if (run === undefined) {
  console.error(`there is no bench "${name}"; there is ${Object.keys(BENCHES).join(", ")}`);
  process.exitCode = 2;
} else process.exitCode = (await run()) ? 0 : 1;
