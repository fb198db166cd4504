/** All checks of a charm file. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "../../src/base/errors.ts";
import { readLock } from "../pack/lock.ts";
import { REPOSITORY } from "../pack/repository.ts";
import { archiveProblems } from "./archive.ts";
import { contentProblems } from "./contents.ts";
import { declarationProblems } from "./declarations.ts";
import { dispatchProblems } from "./dispatch.ts";
import { licenceProblems } from "./licences.ts";
import { readPackage, type CharmPackage } from "./package.ts";
import { runtimeProblems } from "./runtime.ts";

/** What is wrong with the charm file at `path`, a sentence each; empty when Juju would run it on every base. */
export async function verifyCharm(path: string): Promise<readonly string[]> {
  let charm: CharmPackage;
  try {
    charm = await readPackage(path);
  } catch (error) {
    return [`the zip cannot be read: ${describe(error)}`];
  }
  return [
    ...archiveProblems(charm),
    ...declarationProblems(charm),
    ...dispatchProblems(charm),
    ...runtimeProblems(charm),
    ...contentProblems(charm),
    ...licenceProblems(charm, await directDependencies()),
  ];
}

/** The registry's names of the packages that the product is written with. */
async function directDependencies(): Promise<readonly string[]> {
  const { dependencies } = JSON.parse(await readFile(join(REPOSITORY, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const lock = await readLock();
  return Object.keys(dependencies).map((folder) => lock(folder).name);
}
