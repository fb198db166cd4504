/** From a running server to an image in the build project. */
import type { ResourceScope } from "../../base/scope.ts";
import {
  createServerImage,
  deleteImage,
  stopServer,
  waitForImage,
  waitForServer,
  waitForServerIdle,
  type Cloud,
  type Image,
} from "../../openstack/index.ts";
import { POLL } from "../limits.ts";
import { builderName, ownerTags } from "../names.ts";
import type { StepContext } from "../step.ts";
import type { BuildRequest, ImageSpec } from "../types.ts";
import { createInScope } from "./create-in-scope.ts";

/** A server that is shut off: the only thing that {@link snapshot} takes, so that the order is a type. */
export interface StoppedServer {
  readonly id: string;
  readonly status: "SHUTOFF";
}

/** Shuts the guest down and waits until it is off. */
export async function stopBuilder(
  cloud: Cloud,
  serverId: string,
  signal: AbortSignal,
): Promise<StoppedServer> {
  await stopServer(cloud, serverId, { signal });
  await waitForServer(cloud, serverId, "SHUTOFF", { signal, everyMs: POLL.server });
  await waitForServerIdle(cloud, serverId, { signal });
  return { id: serverId, status: "SHUTOFF" };
}

/** The intermediate snapshot, active, with `contents` among its properties; the scope deletes it unless it is kept. */
export async function snapshot(
  needs: {
    readonly cloud: Cloud;
    readonly request: BuildRequest;
    readonly spec: ImageSpec;
    readonly context: StepContext;
    readonly scope: ResourceScope;
    /** What the image says of its content, so that somebody can go on with it when this build is cut short. */
    readonly contents: Readonly<Record<string, string>>;
  },
  server: StoppedServer,
  signal: AbortSignal,
): Promise<{ readonly image: Image; readonly keep: () => void }> {
  const { cloud, request, spec, context, scope } = needs;
  const name = builderName(request.owner, spec, request.id);
  const metadata = { ...needs.contents, ...ownerTags(request.owner, request.id, "snapshot") };
  let isKept = false;
  const { made: id } = await createInScope(
    scope,
    `snapshot ${name}`,
    signal,
    async (patience) => await createServerImage(cloud, server.id, { name, metadata }, { signal: patience }),
    async (made, undoSignal) => {
      if (!isKept) await deleteImage(cloud, made, { signal: undoSignal });
    },
  );
  context.journal.add({ event: "created", image: context.image, kind: "snapshot", id, name });
  const image = await waitForImage(cloud, id, { signal, everyMs: POLL.image });
  await waitForServerIdle(cloud, server.id, { signal });
  const keep = (): void => {
    isKept = true;
  };
  return { image, keep };
}
