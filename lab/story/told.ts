/** What a telling of the story tells, and what it shows in the end. */
import type { JournalEvent } from "../../src/build/journal.ts";
import type { Paths } from "../../src/build/paths.ts";
import type { Image } from "../../src/openstack/index.ts";
import type { LabCloud } from "../lab.ts";
import type { LabProject } from "../layout.ts";
import type { Followed } from "./follow-build.ts";
import type { Check } from "./proof.ts";
import type { Secrecy } from "./prove-secrecy.ts";
import type { Search } from "./search-disk.ts";

/** Projects and applications that get images. */
export const REQUIRERS = ["runner-a", "runner-b"] as const satisfies readonly LabProject[];

/** Who listens. */
export interface Listener {
  /** A phase begins. */
  readonly phase: (name: string) => void;
  readonly line: (text: string) => void;
  readonly buildEvent: (event: JournalEvent) => void;
}

/** What a requirer finds in a databag. */
export interface Bag {
  readonly relation: (typeof REQUIRERS)[number];
  readonly id: string;
  readonly tags: string;
  readonly images: string;
}

/** The same, and what it stands for. */
export interface Published extends Bag {
  /** The image as the requirer's project has it. */
  readonly image: Image;
}

/** Everything that was seen. */
export interface Story {
  readonly lab: LabCloud;
  readonly paths: Paths;
  readonly secret: string;
  readonly first: readonly Published[];
  readonly second: readonly Published[];
  readonly builds: readonly Followed[];
  readonly checks: readonly Check[];
  /** What the search of the whole disk of the first image found, used blocks and free ones. */
  readonly search: Search;
  /** What the site's proxy let through, a line each: `GET http://... 200`. */
  readonly proxied: readonly string[];
  /** Build that the action `run` joined, and the build that cron had started. */
  readonly joined: { readonly byAction: string; readonly byCron: string };
  readonly statuses: readonly string[];
  /** All of the model in the end, as `juju status` shows it. */
  readonly model: string;
  /** Units that came later, with what the requirers found in their databags at once, and in the end. */
  readonly secondUnit: {
    readonly name: string;
    readonly atOnce: readonly Bag[];
    readonly atLast: readonly Bag[];
    readonly status: string;
  };
  /** What shows a secret outside the places for secrets, while the story was told. */
  readonly secrecy: Secrecy;
  /** All that Juju's log ever showed. */
  readonly jujuLog: string;
}
