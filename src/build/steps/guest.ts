/** The guest behind its connections: one that breaks is made again, where what runs in it may run twice. */
import { withDeadline } from "../../base/deadline.ts";
import { AppError, describe } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { retry } from "../../base/retry.ts";
import { type Communicator, type RemoteCommand, SshError } from "../../ssh/communicator.ts";

/** A builder's guest; dispose of it to close its connection. */
export interface Guest extends Communicator {
  /** As `run`, for commands that may run twice: logs in again when the connection breaks, and begins anew. */
  readonly runAnew: (command: RemoteCommand) => Promise<string>;
}

/** How often a command is begun before a guest that breaks each of its connections fails the build. */
const ATTEMPTS = 6;
const PAUSES = { firstPauseMs: 250, longestPauseMs: 4000 };
/** What a log-in whose time is up may take to read the console, which says why. */
const SETTLE_MS = 30_000;
/** Random per boot, see random(4). */
const READ_BOOT_ID = "cat /proc/sys/kernel/random/boot_id";

/**
 * The guest that `logIn` reaches. Each further log-in may take `limitMs`; one that finds the guest booted anew
 * throws, because what ran in it was cut short. Throws what `logIn` does.
 */
export async function openGuest(
  logIn: (signal: AbortSignal) => Promise<Communicator>,
  limitMs: number,
  log: Logger,
  signal: AbortSignal,
): Promise<Guest> {
  const policy = {
    attempts: ATTEMPTS,
    ...PAUSES,
    when: (error: unknown) => error instanceof SshError,
    onRetry: (error: unknown) =>
      log.warn({ reason: describe(error) }, "the connection to the builder broke; logging in again"),
  };
  const enter = async (within: AbortSignal): Promise<{ connection: Communicator; boot: string }> => {
    const connection = await logIn(within);
    try {
      return { connection, boot: await connection.run({ command: READ_BOOT_ID, signal: within }) };
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  };

  const { connection: first, boot } = await retry(signal, policy, async () => await enter(signal));
  let connection = first;
  const enterAgain = async (within: AbortSignal): Promise<void> => {
    await connection[Symbol.asyncDispose]();
    const now = await withDeadline(within, limitMs, "log in again", enter, SETTLE_MS);
    ({ connection } = now);
    if (now.boot !== boot) throw new AppError("the builder booted anew, which cut short what ran in it");
  };
  return {
    run: async (command) => await connection.run(command),
    runAnew: async (command) =>
      await retry(command.signal, policy, async (attempt) => {
        if (attempt > 1) await enterAgain(command.signal);
        return await connection.run(command);
      }),
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]();
    },
  };
}
