/** Measures. usage: main.ts dispatch|hooks|publish|scale (the last three want the lab's fake-driver cloud). Exit code 1 when a figure is above its limit. */
import { benchDispatch } from "./dispatch.ts";
import { benchHooks } from "./hooks.ts";
import { benchPublish } from "./publish.ts";
import { benchScale } from "./scale.ts";

const BENCHES: Readonly<Record<string, () => Promise<boolean>>> = {
  dispatch: benchDispatch,
  hooks: benchHooks,
  publish: benchPublish,
  scale: benchScale,
};

const [name = "dispatch"] = process.argv.slice(2);
const run = BENCHES[name];
if (run === undefined) {
  console.error(`there is no bench "${name}"; there is ${Object.keys(BENCHES).join(", ")}`);
  process.exitCode = 2;
} else process.exitCode = (await run()) ? 0 : 1;
