/** `image-builder cancel`: ends a build from outside its process. */
import { seconds, waitFor } from "../../base/deadline.ts";
import { AppError, ConfigError } from "../../base/errors.ts";
import { readBuild } from "../../build/history.ts";
import { stopBuild } from "../../build/stop-build.ts";
import { cancelWaiting } from "../../build/waiting.ts";
import type { Terminal } from "../program.ts";

/** Ends the build in `options.folder` and waits until it has deleted what it made. */
export async function cancelCommand(options: { readonly folder: string }, terminal: Terminal): Promise<void> {
  const { folder } = options;
  const build = await readBuild(folder);
  if (build === null) throw new ConfigError([`there is no build in ${folder}`]);
  if (build.state === "waiting") cancelWaiting(build, "cancelled by hand");
  else if (!(await stopBuild(build))) {
    throw new AppError(`build ${build.id} neither runs nor waits: it is ${build.state}`);
  }
  const state = await waitFor(terminal.signal, seconds(0.25), async () => {
    const now = (await readBuild(folder))?.state;
    return now === "running" || now === "queued" ? undefined : now;
  });
  terminal.stdout.write(`build ${build.id} is ${state}\n`);
}
