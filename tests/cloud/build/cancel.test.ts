import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { describe, test } from "vitest";
import { connect } from "../../../src/ssh/communicator.ts";
import type { Cloud, Service } from "../../../src/openstack/index.ts";
import { type BuildChanges, useWorkshops, type Workshop } from "../../support/build.ts";
import { imagePath, randomFile } from "../../support/mirror.ts";

const openWorkshop = useWorkshops();

/** `cloud`, on which `cancel` is called when the reply to the first such request begins to come. */
function cancelAtReply(cloud: Cloud, service: "compute" | "image", path: RegExp, cancel: () => void): Cloud {
  const open: Service["open"] = (call) => {
    const request = cloud[service].open(call);
    if (call.method === "POST" && path.test(new URL(call.url).pathname)) request.once("response", cancel);
    return request;
  };
  return { ...cloud, [service]: { ...cloud[service], open } };
}

interface Moment {
  readonly what: string;
  readonly changes: (workshop: Workshop) => BuildChanges;
  /** Kinds of what was made before. */
  readonly created: readonly string[];
}

const atCreated = (kind: string, at: number) => (): BuildChanges => {
  let seen = 0;
  return {
    onEvent: (event, cancel) => {
      if (event.event === "created" && event.kind === kind && (seen += 1) === at) cancel();
    },
  };
};
const atReply = (name: string, service: "compute" | "image", path: RegExp) => (): BuildChanges => ({
  onCloud: (cloud, cancel) => (cloud.name === name ? cancelAtReply(cloud, service, path, cancel) : cloud),
});

const MOMENTS: readonly Moment[] = [
  {
    what: "it begins",
    changes: () => ({
      onEvent: (event, cancel) => {
        if (event.event === "started") cancel();
      },
    }),
    created: [],
  },
  {
    what: "the base image comes down",
    changes: ({ mirror }) => {
      let stop = (): void => {};
      mirror.put(imagePath("noble"), { stalls: randomFile(400_000), onStall: () => stop() });
      return {
        onEvent: (_event, cancel) => {
          stop = cancel;
        },
      };
    },
    created: [],
  },
  {
    what: "Glance makes the base image",
    changes: atReply("builder", "image", /\/images$/),
    created: [],
  },
  { what: "the base image goes up", changes: atCreated("image", 1), created: ["image"] },
  {
    what: "Nova makes the server",
    changes: atReply("builder", "compute", /\/servers$/),
    created: ["image", "key pair"],
  },
  { what: "the server starts", changes: atCreated("server", 1), created: ["image", "key pair", "server"] },
  {
    what: "nobody answers by SSH",
    changes: () => ({
      guest: { refusedLogins: 1000 },
      onGuest: (guest, cancel) => ({
        ...guest,
        connect: async (target, signal) => {
          setImmediate(cancel);
          return await guest.connect(target, signal);
        },
      }),
    }),
    created: ["image", "key pair", "server"],
  },
  {
    what: "cloud-init runs",
    changes: () => {
      let stop = (): void => {};
      return {
        onGuest: (guest, cancel) => {
          stop = cancel;
          return guest;
        },
        guest: {
          cloudInit: "never ends",
          duringCloudInit: async () => {
            setImmediate(stop);
            return undefined;
          },
        },
      };
    },
    created: ["image", "key pair", "server"],
  },
  {
    what: "something listens for SSH and never says a word",
    changes: () => ({
      onGuest: (guest, cancel) => ({
        ...guest,
        connect: async (target, signal) => {
          const silent = createServer((socket) => {
            socket.on("error", () => socket.destroy());
            cancel();
          });
          silent.listen(0, "127.0.0.1");
          await once(silent, "listening");
          using _close = { [Symbol.dispose]: () => void silent.close() };
          const { port } = silent.address() as AddressInfo;
          return await connect({ ...target, host: "127.0.0.1", port }, signal);
        },
      }),
    }),
    created: ["image", "key pair", "server"],
  },
  {
    what: "the script runs",
    changes: ({ mirror }) => {
      mirror.put("/script.sh", { text: "#!/bin/sh\nsleep infinity\n" });
      let stop = (): void => {};
      return {
        request: { script: { url: `${mirror.url}/script.sh`, sha256: "" } },
        onGuest: (guest, cancel) => {
          stop = cancel;
          return guest;
        },
        guest: {
          onScript: () => {
            setImmediate(stop);
            return { hang: true };
          },
        },
      };
    },
    created: ["image", "key pair", "server"],
  },
  {
    what: "Nova begins the snapshot",
    changes: () => {
      let stops = 0;
      return {
        onCloud: (cloud, cancel) =>
          cloud.name === "builder"
            ? cancelAtReply(cloud, "compute", /\/servers\/[^/]+\/action$/, () => {
                // the first action is the stop
                if ((stops += 1) === 2) cancel();
              })
            : cloud,
      };
    },
    created: ["image", "key pair", "server"],
  },
  {
    what: "the snapshot is taken",
    changes: atCreated("snapshot", 1),
    created: ["image", "key pair", "server", "snapshot"],
  },
  {
    what: "a target makes its image",
    changes: atReply("runner-a", "image", /\/images$/),
    created: ["image", "key pair", "server", "snapshot"],
  },
  {
    what: "the copies go up",
    changes: atCreated("image", 2),
    created: ["image", "key pair", "server", "snapshot", "image"],
  },
];

/** From the cancel to the end of what was waited for. */
const LONGEST_WAIT_MS = 2000;
/** From the cancel to the end, clean-up included; a server's deletion is most of it. */
const LONGEST_MS = 60_000;

describe.concurrent("a build cancelled while", () => {
  test.for(MOMENTS)("$what ends soon and leaves nothing", async ({ changes, created }, { expect }) => {
    await using workshop = await openWorkshop();
    // large enough to be in the middle of it
    workshop.mirror.putImage("noble", randomFile(8 << 20));
    let cancelledAt = 0;
    let waitedMs = 0;
    const noted = (cancel: () => void) => (): void => {
      cancelledAt ||= performance.now();
      cancel();
    };
    const { onEvent, onCloud, onGuest, ...rest } = changes(workshop);
    const { outcome, build, events } = await workshop.run({
      ...rest,
      onEvent: (event, cancel) => {
        if (event.event === "step-ended" && cancelledAt > 0) waitedMs ||= performance.now() - cancelledAt;
        onEvent?.(event, noted(cancel));
      },
      onCloud: (cloud, cancel) => onCloud?.(cloud, noted(cancel)) ?? cloud,
      onGuest: (guest, cancel) => onGuest?.(guest, noted(cancel)) ?? guest,
    });
    const took = performance.now() - cancelledAt;
    expect(build).toMatchObject({ state: "cancelled", errors: ["cancelled by the test"], artifacts: [] });
    expect(outcome).toBe("cancelled");
    expect(await workshop.leftovers()).toEqual([]);
    expect([...(await workshop.images("runner-a")), ...(await workshop.images("runner-b"))]).toEqual([]);
    const made = events.flatMap((event) => (event.event === "created" ? [event.kind] : []));
    expect(made.slice(0, created.length)).toEqual(created);
    expect(events.filter(({ event }) => event === "leftover")).toEqual([]);
    expect(waitedMs).toBeLessThan(LONGEST_WAIT_MS);
    expect(took).toBeLessThan(LONGEST_MS);
  });
});

test("a build that ends because the machine goes down is interrupted, and leaves nothing to go on from", async ({
  expect,
}) => {
  await using workshop = await openWorkshop();
  const { outcome, build, events } = await workshop.run({
    isMachineStopping: true,
    ...atCreated("snapshot", 1)(),
  });
  expect(outcome).toBe("interrupted");
  expect(events.at(-1)).toMatchObject({ event: "ended", outcome: "interrupted" });
  expect(build).toMatchObject({ state: "interrupted", snapshots: [], artifacts: [] });
  expect(await workshop.leftovers()).toEqual([]);
});
