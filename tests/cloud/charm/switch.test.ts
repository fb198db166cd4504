/** A refresh from the Python charm with the real control plane behind it: the charm's own builder adopts. */
import { Readable } from "node:stream";
import { test } from "vitest";
import { waitFor } from "../../../src/base/deadline.ts";
import { exists } from "../../../src/base/files.ts";
import { TAG } from "../../../src/build/names.ts";
import { tracesFile } from "../../../src/build/python-charm/traces.ts";
import { getImage, uploadImage, waitForImage, type CloudAuth } from "../../../src/openstack/index.ts";
import { APPLICATION, MODEL_UUID } from "../../support/charm.ts";
import type { Credentials } from "../../support/charm-requirers.ts";
import { createTestImage, fakeCloudAuth, openFakeCloud } from "../../support/openstack.ts";
import { pythonBag } from "../../support/python-bag.ts";
import { deployPython } from "../../support/python-charm.ts";

const options = { signal: AbortSignal.timeout(280_000), everyMs: 200 };

const credentialsOf = (auth: CloudAuth): Credentials => ({
  auth_url: auth.authUrl,
  password: auth.password,
  project_domain_name: auth.projectDomainName,
  project_name: auth.projectName,
  user_domain_name: auth.userDomainName,
  username: auth.username,
});

test("the published image becomes one of ours, with its own age, and nobody else notices", async ({
  expect,
}) => {
  using cloud = await openFakeCloud("runner-a");
  await using made = await createTestImage(cloud, { name: `${APPLICATION}-noble-x64` });
  await uploadImage(cloud, made.id, Readable.from([Buffer.alloc(4096, 1)]), options);
  const { createdAt } = await waitForImage(cloud, made.id, options);
  const builder = await fakeCloudAuth("builder");
  const image = { id: made.id, tags: "x64,noble" };
  await using before = await deployPython([image], {
    config: {
      "openstack-auth-url": builder.authUrl,
      "openstack-user-name": builder.username,
      "openstack-project-name": builder.projectName,
    },
    secret: { password: builder.password },
    credentials: credentialsOf(await fakeCloudAuth("runner-a")),
  });
  const { charm, runner } = before;
  charm.builders.release();
  const from = await before.refresh();
  await waitFor(options.signal, 200, async () =>
    (await charm.builds()).every(({ state }) => state !== "queued" && state !== "running") ? true : undefined,
  );
  await charm.wake();
  const [adoption, ...others] = await charm.builds();
  expect(others).toEqual([]);
  expect(adoption).toMatchObject({ state: "done", errors: [], request: { kind: "adopt" } });
  expect(charm.publications(from)).toEqual([]);
  expect(runner.bag()).toEqual(pythonBag([image]));
  const minute = createdAt.toISOString().slice(0, 16).replace("T", " ");
  expect(charm.status()).toMatch(
    new RegExp(`^active noble-x64 of ${minute} UTC \\(less than 1 h old\\), published to 1 of 1 relations`),
  );
  expect((await getImage(cloud, made.id, options)).properties).toMatchObject({
    [TAG.model]: MODEL_UUID,
    [TAG.application]: APPLICATION,
    [TAG.role]: "runner",
    [TAG.base]: "noble",
    [TAG.arch]: "x64",
  });
  expect(await exists(tracesFile(charm.paths.publishedFile))).toBe(false);
  expect(charm.failures()).toEqual([]);
});
