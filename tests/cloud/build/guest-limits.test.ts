/** Guests that never come, never answer or never end: the step's limit ends them, in one sentence. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { describe, test } from "vitest";
import { connect } from "../../../src/ssh/communicator.ts";
import { type BuildChanges, useWorkshops, type Workshop } from "../../support/build.ts";

const openWorkshop = useWorkshops();

interface Case {
  readonly what: string;
  readonly changes: (workshop: Workshop, silentPort: number) => BuildChanges;
  readonly error: RegExp;
}

const CASES: readonly Case[] = [
  {
    what: "nobody listens for SSH",
    changes: () => ({ request: { limits: { connect: 4000 } }, guest: { refusedLogins: Infinity } }),
    error: /^noble-x64: cannot log in to the builder: .*ECONNREFUSED.*; the console's last line is ".*"/,
  },
  {
    what: "something listens for SSH and never says a word",
    changes: (_, port) => ({
      request: { limits: { connect: 4000 } },
      onGuest: (guest) => ({
        ...guest,
        connect: async (target, signal) => await connect({ ...target, host: "127.0.0.1", port }, signal),
      }),
    }),
    error: /^noble-x64: cannot log in to the builder: .*not done after 4s/,
  },
  {
    what: "cloud-init never ends",
    changes: () => ({ request: { limits: { cloudInit: 4000 } }, guest: { cloudInit: "never ends" } }),
    error: /^noble-x64: cannot run cloud-init: .*not done after 4s/,
  },
  {
    what: "the script never ends",
    changes: ({ mirror }) => {
      mirror.put("/script.sh", { text: "#!/bin/sh\nsleep infinity\n" });
      return {
        request: { limits: { script: 4000 }, script: { url: `${mirror.url}/script.sh`, sha256: "" } },
        guest: { onScript: () => ({ stdout: ["and so on\n"], hang: true }) },
      };
    },
    error: /^noble-x64: cannot run the script: .*not done after 4s/,
  },
];

describe.concurrent("a build fails at its limit and leaves nothing when", () => {
  test.for(CASES)("$what", async ({ changes, error }, { expect }) => {
    await using workshop = await openWorkshop();
    const silent = createServer((socket) => void socket.on("error", () => socket.destroy()));
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    using _close = { [Symbol.dispose]: () => void silent.close() };
    const result = await workshop.run(changes(workshop, (silent.address() as AddressInfo).port));
    expect(result.build.errors).toEqual([expect.stringMatching(error)]);
    expect(result.outcome).toBe("failed");
    expect(await workshop.leftovers()).toEqual([]);
  });
});
