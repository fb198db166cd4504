/** What the charm takes from the process it runs in. */
import { existsSync } from "node:fs";
import { access } from "node:fs/promises";
import { isMissing } from "../base/files.ts";
import { isSecret, PROXIES_VARIABLE, proxyEnvironment } from "../build/proxies.ts";
import type { BuilderProgram } from "../build/start-build.ts";
import type { Paths } from "../build/paths.ts";
import type { Proxy } from "../build/types.ts";
import type { CharmProxies } from "../juju/index.ts";

/** Where the charm's files are and how its builder is started. */
export interface CharmEnvironment {
  /** File system root: `/`, elsewhere only in tests and the lab. */
  readonly root: string;
  /** The runtime with its flags, and the builder's entry file. */
  readonly builder: readonly [string, ...string[]];
  readonly path: string;
}

/** The model's proxies, as a build is told of them. */
export function proxyOf(proxies: CharmProxies): Proxy {
  return { http: proxies.http ?? "", https: proxies.https ?? "", noProxy: proxies.no ?? "" };
}

/**
 * How one process of the builder is run. Its environment is made from nothing, like a hook's, so that no variable of
 * the hook (its context id above all) reaches a process that outlives it. Proxies with a password are handed over by
 * a file, which the process removes: to be called for each process, and right before it is started.
 */
export async function builderProgram(
  environment: CharmEnvironment,
  paths: Paths,
  proxies: CharmProxies,
): Promise<BuilderProgram> {
  return {
    command: environment.builder,
    env: {
      HOME: "/root",
      LANG: "C.UTF-8",
      PATH: environment.path,
      // one heap of the C library instead of one per thread: less memory is held for nothing
      MALLOC_ARENA_MAX: "1",
      NODE_COMPILE_CACHE: paths.compileCache,
      // Node trusts these beside its own, for OpenStack, mirrors, script and webhook alike
      ...(existsSync(paths.caFile) ? { NODE_EXTRA_CA_CERTS: paths.caFile } : {}),
      ...(await proxyVariables(proxyOf(proxies), paths)),
    },
  };
}

async function proxyVariables(proxy: Proxy, paths: Paths): Promise<Readonly<Record<string, string>>> {
  if (isSecret(proxy)) {
    const { handOver } = await import("../build/proxy-file.ts");
    return { [PROXIES_VARIABLE]: await handOver(proxy, paths.runtime) };
  }
  const set = proxyEnvironment(proxy);
  // Node's own fetch heeds the variables only when told to
  return Object.keys(set).length === 0 ? {} : { NODE_USE_ENV_PROXY: "1", ...set };
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
