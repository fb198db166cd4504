/**
 * The whole story, with nothing simulated but Juju's agent: the lab comes up, Juju deploys the charm and
 * relates two requirers, the charm has an image built and publishes it; the image is proved; cron and the
 * action bring a second revision. `npm run try` tells it to a person, the e2e tier asserts it.
 */
import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { AppError } from "../../src/base/errors.ts";
import { listBuilds } from "../../src/build/history.ts";
import type { JournalEvent } from "../../src/build/journal.ts";
import { pathsOf, type Paths } from "../../src/build/paths.ts";
import { FakeJuju } from "../juju/index.ts";
import { labReset, labUp, type LabCloud } from "../lab.ts";
import { LAB_ROOT } from "../layout.ts";
import { followBuild, type Followed } from "./follow-build.ts";
import { proveImage, type Check } from "./proof.ts";
import { serveScript } from "./script-server.ts";
import { endLeftBuilders } from "./end-left-builders.ts";

/** Secret of the operator's script; every character that a shell would take amiss. */
const SECRET = `story; $(touch /tmp/pwned) "double" 'single' = % \\ end`;
const APPLICATION = "image-builder";
const UNIT = `${APPLICATION}/0`;
const REQUIRERS = ["runner-a", "runner-b"] as const;
const PACKAGES = ["jq", "socat", "time", "unzip"] as const;
const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** Who listens. */
export interface Listener {
  /** A phase begins. */
  readonly phase: (name: string) => void;
  readonly line: (text: string) => void;
  readonly buildEvent: (event: JournalEvent) => void;
}

/** What a requirer finds in its databag. */
export interface Published {
  readonly relation: string;
  readonly id: string;
  readonly tags: string;
  readonly images: string;
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
  /** Build that the action `run` joined, and the build that cron had started. */
  readonly joined: { readonly byAction: string; readonly byCron: string };
  readonly statuses: readonly string[];
  /** All that Juju's log and the statuses ever showed. */
  readonly jujuLog: string;
}

/** Tells the story from wherever an earlier telling ended; needs root on Debian 12. */
export async function tellStory(listener: Listener, signal: AbortSignal): Promise<Story> {
  listener.phase("lab");
  const lab = await labUp("real", { log: listener.line, signal });
  const directory = join(LAB_ROOT, "story");
  const root = join(directory, "root");
  await endLeftBuilders(root);
  await rm(directory, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  listener.phase("clean slate");
  await labReset("real", { log: listener.line, signal });

  listener.phase("deploy");
  await using script = await serveScript();
  const paths = pathsOf(root, UNIT);
  const log: string[] = [];
  await using juju = await FakeJuju.start({
    directory: join(directory, "juju"),
    model: { name: "try", uuid: randomUUID() },
    version: "3.6.9",
    extraEnvironment: { IMAGE_BUILDER_ROOT: root },
    installExecAt: join(root, "usr/bin/juju-exec"),
    log: ({ level, module, message }) => log.push(`${level} ${module} ${message}`),
  });
  await deploy(juju, lab, script.url, signal);
  listener.line(statusOf(juju));
  listener.phase("prepare the build cloud");
  await follow(await newestBuild(paths));
  await juju.settle({ signal });

  listener.phase("relate runner-a and runner-b");
  const relations = new Map<string, number>();
  for (const name of REQUIRERS) {
    juju.addScriptedApplication(name, {
      endpoints: { image: { interface: "github_runner_image_v0", role: "requires" } },
      units: 1,
    });
    relations.set(name, await juju.relate(`${APPLICATION}:image`, `${name}:image`));
  }
  for (const name of REQUIRERS)
    juju.setUnitData(relations.get(name) ?? 0, `${name}/0`, credentials(lab, name));
  await juju.settle({ signal });
  listener.line(statusOf(juju));

  listener.phase("first build");
  const builds = [await follow(await newestBuild(paths))];
  await juju.settle({ signal });
  const first = published();
  listener.line(statusOf(juju));

  listener.phase("proof: boot the published image in runner-a");
  const runnerVersion = await newestRunner(lab);
  const checks = await proveImage(
    {
      auth: { ...lab.credentials("runner-a"), caFile: null },
      imageId: first[0]?.id ?? "",
      packages: PACKAGES,
      secretSha256: createHash("sha256").update(SECRET).digest("hex"),
      runnerVersion,
      forbidden: [SECRET, builds[0]?.build.id ?? ""],
    },
    signal,
  );
  for (const { name, problem } of checks)
    listener.line(problem === null ? `ok    ${name}` : `FAIL  ${name}: ${problem}`);

  listener.phase("second build: cron fires run, the action run joins it");
  await fireCron(paths);
  const byCron = await newestBuild(paths);
  const action = await juju.runAction(UNIT, "run");
  if (action.status !== "completed") throw new AppError(`the action run ${action.status}: ${action.message}`);
  builds.push(await follow(byCron));
  await juju.settle({ signal });
  const second = published();
  listener.line(statusOf(juju));

  const unit = juju.status().applications[APPLICATION]?.units[UNIT];
  return {
    lab,
    paths,
    secret: SECRET,
    first,
    second,
    builds,
    checks,
    joined: { byAction: String(action.results["build"]), byCron: builds.at(-1)?.build.id ?? "" },
    statuses: (unit?.history ?? []).map(({ status, message }) => `${status} ${message}`),
    jujuLog: log.join("\n"),
  };

  async function follow(folder: string): Promise<Followed> {
    const followed = await followBuild(folder, listener.buildEvent, signal);
    if (followed.build.state === "done") return followed;
    throw new AppError(
      `build ${followed.build.id} ${followed.build.state}: ${followed.build.errors.join("; ")}; see ${folder}/build.log`,
    );
  }

  function published(): readonly Published[] {
    return [...relations].map(([relation, id]) => {
      const bag = juju.unitData(id, UNIT);
      return { relation, id: bag["id"] ?? "", tags: bag["tags"] ?? "", images: bag["images"] ?? "" };
    });
  }
}

async function deploy(juju: FakeJuju, lab: LabCloud, scriptUrl: string, signal: AbortSignal): Promise<void> {
  const { authUrl, projectName, projectDomainName, username, userDomainName, password } =
    lab.credentials("builder");
  const passwordSecret = juju.addSecret({ password });
  const scriptSecret = juju.addSecret({ "story-token": SECRET });
  await juju.deploy(APPLICATION, {
    charm: REPOSITORY,
    link: true,
    config: {
      architecture: "amd64",
      "base-image": "noble",
      "openstack-auth-url": authUrl,
      "openstack-project-name": projectName,
      "openstack-project-domain-name": projectDomainName,
      "openstack-user-name": username,
      "openstack-user-domain-name": userDomainName,
      "openstack-password-secret": passwordSecret,
      "revision-history-limit": 2,
      "base-image-mirror": lab.mirrorUrl,
      "runner-mirror": `${lab.runnerMirrorUrl}/releases`,
      "apt-mirror": lab.aptMirrorUrl,
      "apt-packages": ["-*", ...PACKAGES].join(","),
      snaps: "",
      "npm-packages": "",
      "script-url": scriptUrl,
      "script-secret-id": scriptSecret,
    },
  });
  juju.grantSecret(passwordSecret, APPLICATION);
  juju.grantSecret(scriptSecret, APPLICATION);
  await juju.settle({ signal });
}

function credentials(lab: LabCloud, project: (typeof REQUIRERS)[number]): Record<string, string> {
  const { authUrl, projectName, projectDomainName, username, userDomainName, password } =
    lab.credentials(project);
  return {
    auth_url: authUrl,
    password,
    project_domain_name: projectDomainName,
    project_name: projectName,
    user_domain_name: userDomainName,
    username,
  };
}

function statusOf(juju: FakeJuju): string {
  const status = juju.status().applications[APPLICATION]?.units[UNIT]?.workload;
  return `${UNIT}: ${status?.status ?? ""} ${status?.message ?? ""}`;
}

async function newestBuild(paths: Paths): Promise<string> {
  const build = (await listBuilds(paths.builds)).at(-1);
  if (build === undefined) throw new AppError(`no build was started in ${paths.builds}`);
  return build.folder;
}

async function newestRunner(lab: LabCloud): Promise<string> {
  const reply = await fetch(`${lab.runnerMirrorUrl}/releases/latest`, { redirect: "manual" });
  await reply.body?.cancel();
  return reply.headers.get("location")?.split("/v").at(-1) ?? "";
}

/** Runs what the cron file says, as cron would, but for its question whether the hour has come. */
async function fireCron(paths: Paths): Promise<void> {
  const line = (await readFile(paths.cronFile, "utf8")).split("\n").find((text) => text.includes(" root "));
  const command = line?.slice(line.indexOf("] && ") + "] && ".length).replaceAll("\\%", "%");
  if (command === undefined) throw new AppError(`${paths.cronFile} has no entry`);
  const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", SHELL: "/bin/sh" };
  await promisify(execFile)("/bin/sh", ["-c", command], { env });
}
