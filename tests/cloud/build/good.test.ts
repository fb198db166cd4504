import { expect, test } from "vitest";
import { TAG } from "../../../src/build/names.ts";
import { useWorkshops } from "../../support/build.ts";
import { imagePath, randomFile } from "../../support/mirror.ts";

const openWorkshop = useWorkshops();

const STEPS = [
  ["", "sign in to the build cloud"],
  ["", "sign in to the target clouds"],
  ["", "reap what dead builds left"],
  ["", "prepare the security group"],
  ["", "fetch the inputs"],
  ["noble-x64", "prepare the base image"],
  ["noble-x64", "choose flavor and network"],
  ["noble-x64", "launch the builder"],
  ["noble-x64", "log in to the builder"],
  ["noble-x64", "run cloud-init"],
  ["noble-x64", "clean the guest"],
  ["noble-x64", "stop the builder"],
  ["noble-x64", "take the snapshot"],
  ["noble-x64", "upload the image"],
];

test("puts one verified copy of the snapshot into each target and leaves only the base image", async () => {
  await using workshop = await openWorkshop();
  const { owner, mirror } = workshop;
  const source = mirror.putImage("noble", randomFile(2_500_000));
  const first = await workshop.run({ guest: { refusedLogins: 2 } });

  expect(first.build.errors).toEqual([]);
  expect(first.outcome).toBe("done");
  expect(first.ran).toEqual(["follow", "clean"]);
  expect(first.build.steps.map(({ image, step }) => [image, step])).toEqual(STEPS);
  for (const step of first.build.steps) expect(step).toMatchObject({ ms: expect.any(Number), error: null });
  expect(first.build).toMatchObject({ state: "done", targets: ["runner-a", "runner-b"] });
  const hash = source.hash("sha512");
  for (const project of ["runner-a", "runner-b"] as const) {
    const copies = await workshop.images(project);
    expect(copies).toMatchObject([
      {
        name: `${owner.application}-noble-x64`,
        status: "active",
        visibility: "private",
        sizeBytes: source.sizeBytes,
        hashAlgorithm: "sha512",
        hashValue: hash,
        diskFormat: "qcow2",
        properties: {
          architecture: "x86_64",
          [TAG.model]: owner.modelUuid,
          [TAG.application]: owner.application,
          [TAG.unit]: owner.unit,
          [TAG.build]: first.build.id,
          [TAG.role]: "runner",
          [TAG.base]: "noble",
          [TAG.arch]: "x64",
          [TAG.runnerVersion]: "2.333.1",
        },
      },
    ]);
    expect(first.build.artifacts).toContainEqual(
      expect.objectContaining({ cloud: project, imageId: copies[0]?.id, hash: `sha512:${hash}` }),
    );
  }
  expect(first.build.artifacts).toHaveLength(2);
  expect(await workshop.leftovers()).toEqual([]);
  const [base] = await workshop.images("builder");
  expect(base?.properties).toMatchObject({ [TAG.role]: "base", [TAG.sha256]: source.hash("sha256") });
  console.log("OpenStack calls of a first build with two targets:", first.calls);

  const second = await workshop.run();
  expect(second.outcome).toBe("done");
  expect(mirror.requests(imagePath("noble"))).toBe(1);
  expect(await workshop.images("builder")).toMatchObject([{ id: base?.id }]);
  console.log("OpenStack calls of a second one:", second.calls);

  const renewed = mirror.putImage("noble", randomFile(400_000));
  const third = await workshop.run();
  expect(third.outcome).toBe("done");
  const bases = await workshop.images("builder");
  expect(bases).toMatchObject([{ sizeBytes: renewed.sizeBytes, hashValue: renewed.hash("sha512") }]);
  expect(bases[0]?.id).not.toBe(base?.id);
  expect(third.build.artifacts).toMatchObject([
    { sizeBytes: renewed.sizeBytes },
    { sizeBytes: renewed.sizeBytes },
  ]);
  expect(await workshop.leftovers()).toEqual([]);
});
