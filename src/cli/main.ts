/** Entry of the `image-builder` command: signals in, exit code out. */
import { asDiskFull } from "../base/disk-full.ts";
import { CancelledError, ConfigError, describe } from "../base/errors.ts";
import { redact } from "../base/redact.ts";
import { PROXIES_VARIABLE, proxyEnvironment } from "../build/proxies.ts";
import type { Proxy } from "../build/types.ts";
import { createProgram } from "./program.ts";

/** 0 done, 1 failed, 2 the user's input, 130 and 143 cancelled by SIGINT and SIGTERM. */
async function main(): Promise<number> {
  const cancel = new AbortController();
  let cancelledBy: "SIGINT" | "SIGTERM" | null = null;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      cancelledBy ??= name;
      cancel.abort(new CancelledError(`cancelled by ${name}`));
    });
  }
  bearFullDisk(process.stderr);
  let code = 0;
  let proxy: Proxy | null = null;
  const { [PROXIES_VARIABLE]: proxies, ...env } = process.env;
  const program = createProgram({
    // before the proxies: children get none of them
    env,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: cancel.signal,
    proxy: () => proxy,
    setExitCode: (value) => {
      code = value;
    },
  });
  try {
    if (proxies !== undefined) proxy = await useHandedOver(proxies);
    await program.parseAsync(process.argv);
  } catch (error) {
    if (isUsage(error)) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`error: ${redact(describe(error))}\n`);
    code = error instanceof ConfigError ? 2 : 1;
  }
  if (cancelledBy !== null && code !== 0) return cancelledBy === "SIGINT" ? 130 : 143;
  return code;
}

/** Takes the proxies in the file `path`; this process alone uses them, and its environment as others see it stays. */
async function useHandedOver(path: string): Promise<Proxy> {
  const [{ takeProxies }, { useProxies }] = await Promise.all([
    import("../build/proxy-file.ts"),
    import("../base/http.ts"),
  ]);
  const proxy = await takeProxies(path);
  const variables = proxyEnvironment(proxy);
  // what the OpenStack library goes by
  Object.assign(process.env, variables);
  useProxies(variables);
  return proxy;
}

/** A log that finds no room on its disk must not end a build in the middle of what it makes; any other error is thrown. */
function bearFullDisk(stream: NodeJS.WriteStream): void {
  let isFull = false;
  stream.on("error", (error) => {
    // every further line fails, too, with an error that only says so
    isFull ||= asDiskFull(error, "") !== null;
    if (!isFull) throw error;
  });
}

/** commander throws these after it has written the message (`exitOverride`). */
function isUsage(error: unknown): error is { readonly exitCode: number } {
  return error instanceof Error && "code" in error && String(error.code).startsWith("commander.");
}

process.exitCode = await main();
