/** The image services of all clouds together: which image a build brought where, and which are left. */
import { TAG } from "../../../src/build/names.ts";
import { copiesIn, prunable } from "../../../src/build/publication/states.ts";
import type { Build } from "../../../src/build/history.ts";
import { specName, type ImageSpec } from "../../../src/build/types.ts";
import type { Image } from "../../../src/openstack/index.ts";
import { APPLICATION, MODEL_UUID } from "../charm.ts";
import { imageWith } from "../images.ts";

/** One image. `isKnown` turns true once its unit had a chance to tell the others of it. */
export interface StoredImage {
  readonly id: string;
  readonly cloud: string;
  readonly spec: ImageSpec;
  readonly buildId: string;
  readonly unit: string;
  isActive: boolean;
  isKnown: boolean;
}

/** All images that builds of one run have brought. */
export class ImageStore {
  readonly #images: StoredImage[] = [];

  /** Brings an image of each of `specs` to each of `clouds`; gives the ids as a build's ending takes them. */
  upload(build: Build, unit: string, clouds: readonly string[]) {
    return build.request.images.map((spec) => ({
      spec,
      ids: Object.fromEntries(
        clouds.map((cloud) => {
          const id = `image-${this.#images.length + 1}`;
          const common = { buildId: build.id, unit, isActive: true, isKnown: false };
          this.#images.push({ id, cloud, spec, ...common });
          return [cloud, id];
        }),
      ),
    }));
  }

  /** The image with this id. */
  find(id: string): StoredImage | undefined {
    return this.#images.find((image) => image.id === id);
  }

  /** The newest image of `spec` in `cloud`. */
  newest(cloud: string, spec: string): StoredImage | undefined {
    return this.#images.findLast((image) => image.cloud === cloud && specName(image.spec) === spec);
  }

  /** What a unit has told the others of is known from now on. */
  tell(units: readonly string[]): void {
    for (const image of this.#images) if (units.includes(image.unit)) image.isKnown = true;
  }

  /** Forgets what a unit that is gone has told nobody; the images stay in their clouds, and nobody knows of them. */
  lose(unit: string): void {
    const lost = this.#images.filter((image) => image.unit === unit && !image.isKnown);
    for (const image of lost) this.#images.splice(this.#images.indexOf(image), 1);
  }

  /** Deletes what the builder of `build` deletes after a confirmed publication: its own rule decides. */
  prune(build: Build, clouds: readonly string[], published: ReadonlySet<string>, keep: number): void {
    const owner = { modelUuid: MODEL_UUID, application: APPLICATION, unit: "" };
    for (const cloud of clouds) {
      for (const spec of build.request.images) {
        const images = this.#images.filter(
          (image) => image.isActive && image.cloud === cloud && specName(image.spec) === specName(spec),
        );
        const copies = copiesIn(images.map(asImage), owner, { published, pinned: new Set() });
        const gone = new Set(prunable(copies, keep).map((copy) => copy.image.id));
        for (const image of images) if (gone.has(image.id)) image.isActive = false;
      }
    }
  }
}

function asImage({ id, buildId }: StoredImage): Image {
  return imageWith({
    id,
    properties: {
      [TAG.role]: "runner",
      [TAG.model]: MODEL_UUID,
      [TAG.application]: APPLICATION,
      [TAG.revision]: buildId,
    },
  });
}
