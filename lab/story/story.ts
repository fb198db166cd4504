/**
 * The whole story, with nothing simulated but Juju's agent: the lab comes up, Juju deploys the charm and
 * relates two requirers, the charm has an image built and publishes it; the image is proved; cron and the
 * action bring a second revision. `npm run try` tells it to a person, the e2e tier asserts it.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { AppError } from "../../src/base/errors.ts";
import { statusTable } from "../juju/cli/status-table.ts";
import { labReset, labUp } from "../lab.ts";
import { LAB_ROOT, PROXY_ACCOUNT } from "../layout.ts";
import { deployCharm } from "./deployment.ts";
import { UNIT } from "./model.ts";
import type { Followed } from "./follow-build.ts";
import { bagsOf, fireCron, newestRunner, proxyLog, published } from "./look.ts";
import { proveImage } from "./proof.ts";
import { serveScript } from "./script-server.ts";
import { imageTexts, searchAll, watchServers } from "./prove-secrecy.ts";
import { searchImage } from "./search-disk.ts";
import { finderOf, isGivenByJuju, type MayHold, watchProcesses } from "./search-texts.ts";
import { REQUIRERS, type Listener, type Story } from "./told.ts";
import { serveWebhook } from "./webhook-server.ts";

/** Secret of the operator's script; every character that a shell would take amiss. */
const SECRET = `story; $(touch /tmp/pwned) "double" 'single' = % \\ end`;
/** In the address of the webhook. */
const TOKEN = "webhook-token-of-the-story";
/** The option's default, for the stand-in of the snap store. */
const SNAPS = "aproxy=latest/edge,opentelemetry-collector,juju,microk8s:classic";
const PROXY_PASSWORD = "the proxy's password";

/**
 * Credentials rest in clouds.yaml, which is root's alone. Sources of the lab have its passwords, wherever somebody
 * checks them out; nothing that runs writes such files.
 */
const mayHold: MayHold = ({ path, mode }) =>
  /\.(ts|md)$/.test(path) || ((mode & 0o077) === 0 && path.endsWith("/clouds.yaml"));

/**
 * Tells the story from wherever an earlier telling ended; needs root on Debian 12. `packages` are what the images get:
 * each megabyte costs a second, the guest is emulated.
 */
export async function tellStory(
  listener: Listener,
  packages: readonly string[],
  signal: AbortSignal,
): Promise<Story> {
  listener.phase("lab");
  const lab = await labUp("real", { log: listener.line, signal });
  listener.phase("clean slate");
  await labReset("real", { log: listener.line, signal });

  listener.phase("deploy");
  const began = new Date();
  const secrets = [
    { what: "the script's secret", text: SECRET },
    { what: PROXY_PASSWORD, text: PROXY_ACCOUNT.password },
    ...(["builder", ...REQUIRERS] as const).map((project) => ({
      what: `the password of ${project}`,
      text: lab.credentials(project).password,
    })),
  ];
  const find = finderOf([...secrets, { what: "the webhook's token", text: TOKEN }]);
  await using processes = watchProcesses(
    find,
    (what, environ) => what === PROXY_PASSWORD && isGivenByJuju(find, what, environ),
  );
  const servers = watchServers(lab, signal);
  await using webhook = await serveWebhook(TOKEN);
  await using script = await serveScript();
  await using deployment = await deployCharm({
    lab,
    directory: join(LAB_ROOT, "story"),
    config: {
      "script-url": script.url,
      "script-sha256": script.sha256,
      // all through the proxy: the archive by its own name, the base image and the runner by the mirror's
      "apt-mirror": "http://deb.debian.org/debian",
      snaps: SNAPS,
      "apt-packages": ["-*", ...packages].join(","),
    },
    proxy: lab.proxyUrl,
    scriptSecret: { "story-token": SECRET },
    notifyUrl: webhook.url,
    signal,
  });
  const { juju, paths } = deployment;
  tellStatus();
  listener.phase("prepare the build cloud");
  await follow();

  listener.phase("relate runner-a and runner-b");
  await deployment.relate(REQUIRERS);
  tellStatus();

  listener.phase("first build");
  const builds = [await follow()];
  const first = await published(deployment, lab, signal);
  tellStatus();

  listener.phase("proof: boot the published image in runner-a");
  const checks = await proveImage(
    {
      auth: { ...lab.credentials("runner-a"), caFile: null },
      imageId: first[0]?.id ?? "",
      packages,
      snaps: SNAPS,
      secretSha256: createHash("sha256").update(SECRET).digest("hex"),
      runnerVersion: await newestRunner(lab),
      forbidden: [SECRET, builds[0]?.build.id ?? ""],
    },
    signal,
  );
  for (const { name, problem } of checks) {
    listener.line(problem === null ? `ok    ${name}` : `FAIL  ${name}: ${problem}`);
  }

  listener.phase("proof: search every byte of its disk");
  const search = await searchImage(
    {
      auth: { ...lab.credentials("runner-a"), caFile: null },
      imageId: first[0]?.id ?? "",
      directory: join(LAB_ROOT, "story"),
    },
    secrets,
    signal,
  );
  listener.line(
    `${(search.imageBytes / 1e6).toFixed(0)} MB, a disk of ${(search.diskBytes / 1e9).toFixed(1)} GB: ` +
      (search.found.length === 0 ? "nothing found" : `FOUND ${search.found.join(", ")}`),
  );

  listener.phase("second unit: publishes the same from its first hook on");
  const secondUnit = await deployment.addUnit();
  const atOnce = bagsOf(deployment, secondUnit);
  tellStatus(secondUnit);

  listener.phase("second build: cron fires run, the action run joins it, leadership moves meanwhile");
  await fireCron(paths);
  const action = await juju.runAction(UNIT, "run");
  if (action.status !== "completed") throw new AppError(`the action run ${action.status}: ${action.message}`);
  juju.setLeader(secondUnit);
  builds.push(await follow());
  const second = await published(deployment, lab, signal);
  tellStatus();
  tellStatus(secondUnit);

  listener.phase("proof: no process, file, log or cloud shows a secret");
  const texts = {
    "Juju's log": deployment.log,
    statuses: deployment.statuses(),
    "the action's results": [JSON.stringify(action)],
    databags: [JSON.stringify([bagsOf(deployment, UNIT), bagsOf(deployment, secondUnit)])],
    webhook: webhook.bodies(),
    servers: await servers.texts(),
    images: await imageTexts(lab, signal),
  };
  const { found, files } = await searchAll(
    texts,
    [join(LAB_ROOT, "story", "root"), "/tmp"],
    began,
    find,
    mayHold,
  );
  const secrecy = {
    found: [...processes.hits(), ...found],
    files,
    processes: processes.seen(),
    servers: texts.servers.length,
    webhookBodies: texts.webhook.length,
  };
  listener.line(
    `${secrecy.processes} processes, ${files} files, ${secrecy.servers} servers: ` +
      (secrecy.found.length === 0 ? "nothing found" : `FOUND ${secrecy.found.join(", ")}`),
  );

  return {
    lab,
    paths,
    secret: SECRET,
    first,
    second,
    builds,
    checks,
    search,
    proxied: await proxyLog(lab, began),
    joined: { byAction: String(action.results["build"]), byCron: builds.at(-1)?.build.id ?? "" },
    statuses: deployment.statuses(),
    model: statusTable(juju.status()),
    secondUnit: {
      name: secondUnit,
      atOnce,
      atLast: bagsOf(deployment, secondUnit),
      status: deployment.status(secondUnit),
    },
    secrecy,
    jujuLog: deployment.log.join("\n"),
  };

  function tellStatus(unit = UNIT): void {
    listener.line(`${unit}: ${deployment.status(unit)}`);
  }

  async function follow(): Promise<Followed> {
    const followed = await deployment.follow((event) => {
      listener.buildEvent(event);
      servers.onEvent(event);
    });
    const { id, state, errors, folder } = followed.build;
    if (state === "done") return followed;
    throw new AppError(`build ${id} ${state}: ${errors.join("; ")}; see ${folder}/build.log`);
  }
}
