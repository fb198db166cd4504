/** The builder server: key pair, launch, log-in. */
import { waitFor } from "../../base/deadline.ts";
import { AppError, DeadlineError, describe } from "../../base/errors.ts";
import type { ResourceScope } from "../../base/scope.ts";
import {
  consoleOutput,
  createKeyPair,
  createServer,
  deleteKeyPair,
  deleteServer,
  waitForServer,
  waitForServerGone,
  type Cloud,
  type Server,
} from "../../openstack/index.ts";
import { SshError, type Communicator, type SshTarget } from "../../ssh/communicator.ts";
import { generateKeyPair, type KeyPair } from "../../ssh/keys.ts";
import { builderName, keyPairName, ownerTags } from "../names.ts";
import { POLL } from "../limits.ts";
import type { StepContext } from "../step.ts";
import type { BuildRequest, ImageSpec } from "../types.ts";
import { checkServer } from "./check-server.ts";
import { createInScope } from "./create-in-scope.ts";

/** A server that is ACTIVE, with the way to get rid of it before the scope ends. */
export interface Builder {
  readonly server: Server;
  /** First address, IPv4 preferred. */
  readonly address: string;
  readonly discard: () => Promise<void>;
}

/** Where and from what the builder is launched. */
export interface LaunchNeeds {
  readonly cloud: Cloud;
  readonly request: BuildRequest;
  readonly spec: ImageSpec;
  readonly imageId: string;
  readonly flavorId: string;
  readonly networkId: string;
  readonly securityGroupId: string;
  readonly userData: string;
  readonly context: StepContext;
  readonly scope: ResourceScope;
}

/** Makes a key pair here and registers its public half; the scope deletes it. */
export async function registerKeyPair(
  needs: Pick<LaunchNeeds, "cloud" | "request" | "spec" | "context" | "scope">,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly keys: KeyPair }> {
  const { cloud, request, spec, context, scope } = needs;
  const name = keyPairName(request.owner, spec, request.id);
  const keys = await generateKeyPair(name);
  // the name is ours alone and unique, so deleting it is right even when the reply to the create is lost
  scope.defer(
    `key pair ${name}`,
    async (undoSignal) => await deleteKeyPair(cloud, name, { signal: undoSignal }),
  );
  await createKeyPair(cloud, { name, publicKey: keys.publicKey }, { signal });
  context.journal.add({ event: "created", image: context.image, kind: "key pair", id: name, name });
  return { name, keys };
}

/** Launches the server and waits until it is ACTIVE; the scope deletes it and waits until it is gone. */
export async function launchBuilder(
  needs: LaunchNeeds,
  keyName: string,
  signal: AbortSignal,
): Promise<Builder> {
  const { cloud, request, spec, context, scope } = needs;
  const name = builderName(request.owner, spec, request.id);
  const { made, discard } = await createInScope(
    scope,
    `server ${name}`,
    signal,
    async (patience) =>
      await createServer(
        cloud,
        {
          name,
          imageId: needs.imageId,
          flavorId: needs.flavorId,
          networkId: needs.networkId,
          keyName,
          securityGroupIds: [needs.securityGroupId],
          userData: needs.userData,
          // mitigates CVE-2024-6174, and works where there is no metadata service
          configDrive: true,
          metadata: ownerTags(request.owner, request.id, "builder"),
        },
        { signal: patience },
      ),
    async (server, undoSignal) => {
      await deleteServer(cloud, server.id, { signal: undoSignal });
      await waitForServerGone(cloud, server.id, { signal: undoSignal });
    },
  );
  const { id } = made;
  context.journal.add({ event: "created", image: context.image, kind: "server", id, name });
  const server = await waitForServer(cloud, id, "ACTIVE", { signal, everyMs: POLL.server });
  const [first] = server.addresses.toSorted((a, b) => a.version - b.version);
  if (first === undefined) throw new AppError(`server ${id} is active but has no address`);
  return { server, address: first.address, discard };
}

/** What a log-in needs. */
export interface LoginNeeds {
  readonly cloud: Cloud;
  readonly builder: Builder;
  readonly keys: KeyPair;
  readonly connect: (target: SshTarget, signal: AbortSignal) => Promise<Communicator>;
  readonly context: StepContext;
}

/**
 * Logs in to a guest as `ubuntu`, again and again until sshd is up and cloud-init has put the key; each call is one
 * more connection. When the signal's time is over, the error tells the last line of the server's console; a server
 * that failed or is gone ends the wait at once, and so does a host key that is not the one of the log-in before.
 */
export function loginTo(needs: LoginNeeds): (signal: AbortSignal) => Promise<Communicator> {
  const { cloud, builder, keys, context } = needs;
  // the key of the first guest that let us in is the guest's for the rest of the build
  let pinned: string | null = null;
  return async (signal) => {
    // of a connection that broke, the server behind it may say more
    if (pinned !== null) await checkServer(cloud, builder.server.id, signal);
    let last: unknown;
    let seen: string | null = null;
    const target = {
      host: builder.address,
      port: 22,
      username: "ubuntu",
      privateKey: keys.privateKey,
      isHostKey(fingerprint: string) {
        seen = fingerprint;
        return pinned === null || pinned === fingerprint;
      },
    };
    let checkedAt = performance.now();
    try {
      const guest = await waitFor(signal, POLL.connect, async () => {
        try {
          return await needs.connect(target, signal);
        } catch (error) {
          if (!(error instanceof SshError)) throw error;
          last = error;
        }
        if (pinned !== null && seen !== null && seen !== pinned) {
          throw new AppError(
            `the host key of ${builder.address} was ${pinned} and is ${seen} now: another machine answers there`,
          );
        }
        if (performance.now() - checkedAt < POLL.silentGuest) return undefined;
        checkedAt = performance.now();
        await checkServer(cloud, builder.server.id, signal);
        return undefined;
      });
      pinned ??= seen;
      return guest;
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      const lines = await consoleTail(cloud, builder.server.id);
      context.log.error({ console: lines, err: last }, "the guest does not let us in; its console's end");
      throw new AppError(
        `${last === undefined ? "no answer" : describe(last)}; the console's last line is "${lines.at(-1)?.trim() ?? ""}"`,
        { cause: error },
      );
    }
  };
}

async function consoleTail(cloud: Cloud, serverId: string): Promise<readonly string[]> {
  try {
    // a fresh limit: this runs when the step's own has passed
    const output = await consoleOutput(cloud, serverId, 40, { signal: AbortSignal.timeout(20_000) });
    return output.split("\n").filter((line) => line.trim() !== "");
  } catch (error) {
    return [`(the console cannot be read: ${describe(error)})`];
  }
}
