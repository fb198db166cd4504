import { expect, it } from "vitest";
import { deployBuilder } from "../support/charm.ts";

it.each(["run", "build-changed", "hooks/update-status"])(
  "juju-exec of %s even before install exits with 0, and install goes on from there",
  async (early) => {
    await using charm = await deployBuilder({ early });
    expect(charm.earlyExit).toBe(0);
    const [first] = charm.juju.journal();
    expect(first?.hook).toBe("juju-exec");
    expect(charm.status()).toMatch(/^blocked relation image is missing/);
    expect((await charm.builds()).map(({ request }) => request.kind)).toEqual(["initialise"]);
    expect(charm.failures()).toEqual([]);
  },
);
