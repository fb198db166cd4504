/** What the next build is to do: what is due, what was wished for, and how the two meet. */
import type { Build } from "../build/history.ts";
import { specName, type ImageSpec } from "../build/types.ts";
import { waitingIn } from "../build/waiting.ts";
import type { Order } from "./build-request.ts";
import { isUnderWay, type Due, type History } from "./due.ts";
import { sourcesIn, sourcesLeftBy } from "./sources.ts";

/** What a request to build now asks for; null stands for all. */
export interface Wish {
  readonly reason: string;
  readonly images: readonly ImageSpec[] | null;
  readonly targets: readonly string[] | null;
}

/** The order of a wish. */
export function orderOf({ reason, images, targets }: Wish): Omit<Order, "kind"> {
  return { reason, targets, ...(images === null ? {} : { images }) };
}

/** Whether the build of `order` does all that `wish` asks for. */
export function covers(order: Build["request"], wish: Wish, specs: readonly ImageSpec[]): boolean {
  const images = new Set(order.images.map(specName));
  return (
    order.kind === "build" &&
    (wish.images ?? specs).every((spec) => images.has(specName(spec))) &&
    (order.targets === null ||
      (wish.targets ?? [null]).every((cloud) => order.targets?.includes(cloud ?? "")))
  );
}

/** A wish for all that the waiting build `before` and `wish` ask for. */
export function widened(before: Build, wish: Wish): Wish {
  const { images, targets } = before.request;
  const more = wish.images?.filter((spec) => !images.some((one) => specName(one) === specName(spec)));
  return {
    reason: wish.reason,
    images: more === undefined ? null : [...images, ...more],
    targets: targets === null || wish.targets === null ? null : [...new Set([...targets, ...wish.targets])],
  };
}

/** What to start now, if anything: what is due, else what waits. What is due covers what waits, and takes its id. */
export function nextOrder(
  specs: readonly ImageSpec[],
  builds: readonly Build[],
  history: History,
  due: Exclude<Due, { kind: "adopt" }> | null,
): Order | null {
  if (due?.kind === "copy") {
    const resumed = builds.find(({ id }) => id === (due.clouds === null ? due.resumes : ""));
    const sources =
      resumed === undefined ? sourcesIn(history.artifacts.values(), specs) : sourcesLeftBy(resumed);
    const images =
      resumed?.request.images ??
      specs.filter((spec) => sources.some((source) => specName(source.spec) === specName(spec)));
    const { kind, reason, clouds } = due;
    return { kind, reason, sources, images, targets: clouds ?? resumed?.request.targets ?? null };
  }
  if (history.builds.some(isUnderWay)) return null;
  const waiting = waitingIn(builds);
  if (due !== null) return waiting === null || due.kind !== "build" ? due : { ...due, id: waiting.id };
  if (waiting === null) return null;
  const { id, request } = waiting;
  const { reason, images, targets } = request;
  return { id, kind: "build", reason, images, targets };
}
