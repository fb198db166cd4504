/** How a unit is known that was the Python charm. Apart from the rest, because every hook asks. */
import { join } from "node:path";
import { exists } from "../../base/files.ts";

/** The database that the framework of Python charms makes in the charm's folder; Juju leaves it there. */
export function markIn(charmDir: string): string {
  return join(charmDir, ".unit-state.db");
}

/** Whether the unit whose charm is in `charmDir` was the Python charm and has not been left yet. */
export async function wasPythonCharm(charmDir: string): Promise<boolean> {
  return await exists(markIn(charmDir));
}
