/**
 * A builder in a process of its own. usage: doomed-builder.ts REQUEST APPLICATION_FOLDER KILL_AT
 * Once its journal has so many events on disk, it kills itself with SIGKILL; 0: never. Prints nothing.
 */
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseRequest } from "../../../src/build/request.ts";
import { runOneBuild } from "../../support/one-build.ts";
import { publishing } from "./publisher.ts";

const [file = "", folder = "", killAt = "0"] = process.argv.slice(2);
const request = parseRequest(await readFile(file, "utf8"), file);
let events = 0;
const dieInTime = (): void => {
  events += 1;
  if (events === Number(killAt)) process.kill(process.pid, "SIGKILL");
};
await runOneBuild(request, dirname(dirname(file)), publishing(folder, dieInTime));
