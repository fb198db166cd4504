/** What the charm takes from the process it runs in. */
import { existsSync } from "node:fs";
import { access } from "node:fs/promises";
import { isMissing } from "../base/files.ts";
import type { BuilderProgram } from "../build/start-build.ts";
import type { Paths } from "../build/paths.ts";
import type { CharmProxies } from "../juju/index.ts";

/** Where the charm's files are and how its builder is started. */
export interface CharmEnvironment {
  /** File system root: `/`, elsewhere only in tests and the lab. */
  readonly root: string;
  /** The runtime with its flags, and the builder's entry file. */
  readonly builder: readonly [string, ...string[]];
  readonly path: string;
}

/**
 * The environment of a builder process: made from nothing, like a hook's, so that no variable of the hook
 * (its context id above all) reaches a process that outlives it.
 */
export function builderProgram(
  environment: CharmEnvironment,
  paths: Paths,
  proxies: CharmProxies,
): BuilderProgram {
  const proxy: [string, string | null][] = [
    ["HTTP_PROXY", proxies.http],
    ["HTTPS_PROXY", proxies.https],
    ["NO_PROXY", proxies.no],
  ];
  const set = proxy.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
  return {
    command: environment.builder,
    env: {
      HOME: "/root",
      LANG: "C.UTF-8",
      PATH: environment.path,
      // one heap of the C library instead of one per thread: less memory is held for nothing
      MALLOC_ARENA_MAX: "1",
      NODE_COMPILE_CACHE: paths.compileCache,
      // Node's own fetch heeds the proxy variables only when told to
      // Node trusts these beside its own, for OpenStack, mirrors, script and webhook alike
      ...(existsSync(paths.caFile) ? { NODE_EXTRA_CA_CERTS: paths.caFile } : {}),
      ...(set.length === 0 ? {} : { NODE_USE_ENV_PROXY: "1" }),
      ...Object.fromEntries(set),
    },
  };
}

/** Juju's command to run something in a hook context, `juju-exec` or 2.9's `juju-run`; null where there is none. */
export async function findJujuExec(paths: Paths): Promise<string | null> {
  for (const path of paths.jujuExec) {
    try {
      await access(path);
      return path;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return null;
}
