/** Proof that no secret of the story shows outside the places that are made for secrets. */
import { gunzipSync } from "node:zlib";
import * as v from "valibot";
import { silentLogger } from "../../src/base/log.ts";
import type { JournalEvent } from "../../src/build/journal.ts";
import { listImages, openCloud, type Cloud } from "../../src/openstack/index.ts";
import { requestParsed } from "../../src/openstack/request.ts";
import type { LabCloud } from "../lab.ts";
import { PROJECTS } from "../layout.ts";
import { searchFiles, type Finder, type MayHold } from "./search-texts.ts";

/** What was looked through, and what was found there. */
export interface Secrecy {
  /** `where: which secret`; empty is good. */
  readonly found: readonly string[];
  readonly files: number;
  readonly processes: number;
  readonly servers: number;
  readonly webhookBodies: number;
}

const Raw = v.object({ server: v.looseObject({ "OS-EXT-SRV-ATTR:user_data": v.nullable(v.string()) }) });

/** Reads each server of a build while it is there, as the cloud's administrator: metadata, name, user-data. */
export function watchServers(
  lab: LabCloud,
  signal: AbortSignal,
): { readonly onEvent: (event: JournalEvent) => void; readonly texts: () => Promise<readonly string[]> } {
  const looks: Promise<string>[] = [];
  const look = async (id: string): Promise<string> => {
    const auth = { ...lab.administrator, caFile: null };
    using cloud = closing(await openCloud("admin", auth, { signal, log: silentLogger }));
    const call = { method: "GET", path: `/servers/${id}`, what: "read the server", signal } as const;
    const { server } = await requestParsed(cloud.compute, Raw, call);
    const data = Buffer.from(server["OS-EXT-SRV-ATTR:user_data"] ?? "", "base64");
    const isPacked = data[0] === 0x1f && data[1] === 0x8b;
    const userData = (isPacked ? gunzipSync(data) : data).toString("utf8");
    if (!userData.startsWith("#")) throw new Error("the server has no user-data that could be searched");
    return `${JSON.stringify(server)}\n${userData}`;
  };
  return {
    onEvent: (event) => {
      if (event.event === "created" && event.kind === "server") looks.push(look(event.id));
    },
    texts: async () => await Promise.all(looks),
  };
}

const closing = (cloud: Cloud): Cloud & Disposable => ({ ...cloud, [Symbol.dispose]: () => cloud.close() });

/** Everything that Glance says of the images of all projects. */
export async function imageTexts(lab: LabCloud, signal: AbortSignal): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const project of PROJECTS) {
    const auth = { ...lab.credentials(project), caFile: null };
    using cloud = closing(await openCloud(project, auth, { signal, log: silentLogger }));
    texts.push(JSON.stringify(await listImages(cloud, { owner: cloud.projectId }, { signal })));
  }
  return texts;
}

/** Searches texts by where they are from, and the files below `folders` that are newer than `since`. */
export async function searchAll(
  texts: Readonly<Record<string, readonly string[]>>,
  folders: readonly string[],
  since: Date,
  find: Finder,
  mayHold: MayHold,
): Promise<{ readonly found: readonly string[]; readonly files: number }> {
  const found = Object.entries(texts).flatMap(([where, all]) =>
    all.flatMap((text) => find(text).map((what) => `${where}: ${what}`)),
  );
  let files = 0;
  for (const folder of folders) {
    const result = await searchFiles(folder, since, find, mayHold);
    found.push(...result.found);
    files += result.files;
  }
  return { found: [...new Set(found)], files };
}
