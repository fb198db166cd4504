/** A shell charm under the test kit, in a folder that goes away with it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openContext, type Context, type ContextOptions } from "../../../lab/scenario/index.ts";
import { writeShellCharm, type ShellCharm } from "../../support/charms/shell-charm.ts";

/** Opens `charm`; its scripts' output lands in the results' logs. */
export async function openShell(
  charm: ShellCharm,
  options: Partial<ContextOptions> = {},
): Promise<Context & { readonly folder: string }> {
  await using cleanup = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "shell-"));
  cleanup.defer(async () => await rm(folder, { recursive: true, force: true }));
  await writeShellCharm(folder, charm);
  const context = cleanup.use(await openContext({ charm: folder, ...options }));
  const owned = cleanup.move();
  return { ...context, folder, [Symbol.asyncDispose]: async () => await owned.disposeAsync() };
}

/** Endpoints of each role, a storage, options of each type and two actions. */
export const EVERYTHING: ShellCharm = {
  metadata: {
    provides: { image: { interface: "image" } },
    requires: { db: { interface: "sql" } },
    peers: { friends: { interface: "friends" } },
    storage: { data: { type: "filesystem" } },
  },
  options: {
    name: { type: "string", default: "x" },
    count: { type: "int" },
    ratio: { type: "float" },
    flag: { type: "boolean" },
    password: { type: "secret" },
  },
  actions: {
    greet: {
      params: { name: { type: "string", default: "you" }, times: { type: "integer" } },
      additionalProperties: false,
    },
    fail: {},
  },
};
