/** `image-builder check`: whether a build can work. */
import { AppError } from "../../base/errors.ts";
import { checkCloud, checkMirrors, type Finding } from "../../build/preflight.ts";
import type { Terminal } from "../program.ts";
import { askClouds, readSite } from "../site.ts";
import { table } from "../table.ts";

/** Runs all checks, whatever each finds, and writes them. Throws when one failed, after they are written. */
export async function checkCommand(
  options: { readonly request: string; readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const site = await readSite(options.request, terminal);
  const { request } = site;
  const [answers, mirrors] = await Promise.all([
    askClouds(
      site,
      [...site.clouds.keys()],
      terminal,
      async (cloud, signal) => await checkCloud(cloud, request, cloud.name === request.buildCloud, signal),
    ),
    checkMirrors(request, terminal.signal),
  ]);
  const findings = [
    ...answers.flatMap(({ cloud, value, problem }): readonly Finding[] => [
      problem === null
        ? { outcome: "ok", where: cloud, what: "credentials and catalogue", text: "signed in" }
        : { outcome: "failed", where: cloud, what: "credentials and catalogue", text: problem },
      ...(value ?? []),
    ]),
    ...mirrors,
  ];
  if (options.json) terminal.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else {
    const rows = findings.map(({ outcome, where, what, text }) => [outcome, where, what, text]);
    terminal.stdout.write(`${table(["OUTCOME", "WHERE", "WHAT", "FOUND"], rows)}\n`);
  }
  const failed = findings.filter(({ outcome }) => outcome === "failed");
  if (failed.length > 0) {
    throw new AppError(failed.map(({ where, what, text }) => `${where}: ${what}: ${text}`).join("; "));
  }
}
