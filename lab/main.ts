/** `npm run lab -- COMMAND`: the lab for a person at a shell. */
import { AppError, CancelledError, describe, formatDuration } from "../src/base/errors.ts";
import { join } from "node:path";
import { runFaultProxy } from "./faults/command.ts";
import { main as juju } from "./juju/main.ts";
import { LAB_ROOT } from "./layout.ts";
import { endLeftBuilders } from "./story/end-left-builders.ts";
import { labDown, labEnv, labReset, labStatus, labUp } from "./lab.ts";
import type { LabKind } from "./lab.ts";

const USAGE = `usage: npm run lab -- up|down|status|env|reset [--fake] [--wipe]
       npm run lab -- faults [--fake] [--port NUMBER] [--rules FILE]
       npm run lab -- juju COMMAND ...
  up      install, build and start what is missing
  down    stop everything; --wipe also removes databases, disks, images and logs
  status  which processes run, and the addresses
  env     shell lines for the openstack client: eval "$(npm run -s lab -- env)"
  reset   delete the servers, key pairs, security groups and images of all projects
  --fake  the cloud with Nova's fake driver instead of the one with real guests
  faults  a proxy before the cloud that spoils calls by rule, until Ctrl-C; see lab/faults/README.md
  juju    the fake Juju on its own: npm run lab -- juju --help`;

const [command, ...flags] = process.argv.slice(2);
const kind: LabKind = flags.includes("--fake") ? "fake" : "real";
const cancel = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => cancel.abort(new CancelledError(`ended by ${name}`)));
}
const options = { log: (line: string) => console.log(line), signal: cancel.signal };

async function status(): Promise<void> {
  const { cloud, processes } = await labStatus(kind);
  for (const { name, pid, running, since } of processes) {
    const age = formatDuration(Date.now() - since.getTime());
    console.log(`${name.padEnd(16)} ${running ? `running, pid ${pid}, since ${age}` : "DIED"}`);
  }
  if (processes.length === 0) console.log(`lab ${kind} is down`);
  for (const name of ["directory", "authUrl", "mirrorUrl", "runnerMirrorUrl", "aptMirrorUrl"] as const) {
    if (name === "aptMirrorUrl" && kind === "fake") continue;
    console.log(`${name.padEnd(16)} ${cloud[name]}`);
  }
  if (processes.length === 0 || processes.some(({ running }) => !running)) process.exitCode = 1;
}

async function run(): Promise<void> {
  if (command === "juju") {
    process.exitCode = await juju(flags);
    return;
  }
  if (command === "faults") {
    await runFaultProxy(kind, flags, options);
    return;
  }
  const unknown = flags.filter((flag) => flag !== "--fake" && !(flag === "--wipe" && command === "down"));
  if (unknown.length > 0) throw new AppError(`cannot use ${unknown.join(" ")}\n${USAGE}`);
  switch (command) {
    case "up":
      await labUp(kind, options);
      break;
    case "down":
      if (kind === "real") await endLeftBuilders(join(LAB_ROOT, "story", "root"));
      await labDown(kind, { ...options, wipe: flags.includes("--wipe") });
      break;
    case "status":
      await status();
      break;
    case "env":
      console.log(labEnv(kind));
      break;
    case "reset":
      await labReset(kind, options);
      break;
    case undefined:
    default:
      throw new AppError(USAGE);
  }
}

try {
  await run();
} catch (error) {
  console.error(error instanceof AppError && error.cause === undefined ? error.message : describe(error));
  process.exitCode = cancel.signal.aborted ? 130 : 1;
}
