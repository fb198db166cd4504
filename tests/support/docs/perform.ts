/** What a page tells its reader to do with Juju, done on the fake Juju with the repository's charm. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { FakeJuju } from "../../../lab/juju/index.ts";
import { listBuilds } from "../../../src/build/history.ts";
import { pathsOf } from "../../../src/build/paths.ts";
import { APPLICATION, MODEL_UUID, REPOSITORY, UNITS } from "../charm.ts";
import { holdBuilders } from "../charm-builds.ts";
import { cloudKey } from "../../../src/openstack/index.ts";
import type { JujuLine } from "./juju-syntax.ts";

/** A model that a reader works in; dispose of it to end its processes and remove its files. */
export interface Reader extends AsyncDisposable {
  readonly juju: FakeJuju;
  /** Does what `line` says and waits for the hooks. Throws what Juju would say; lines that only look are passed over. */
  readonly perform: (line: JujuLine) => Promise<void>;
  /** Ends every build that runs; one for related charms has made its image for each of them. */
  readonly endBuilds: () => Promise<void>;
  /** `<name> <message>` of the leader's workload; `gone` without a unit. */
  readonly status: () => string;
  /** Hooks that failed. */
  readonly failures: () => readonly string[];
}

/** Files that pages put into secrets and options. */
const FILES: Readonly<Record<string, string>> = {
  "ca.pem": rootCertificates[0] ?? "",
  "licence.txt": "licence",
  "password.txt": "S3cret-pass",
  "token.txt": "token",
  "url.txt": "https://chat.example/hooks/x",
};
/** What applications at the other ends require. */
const INTERFACES = { image: "github_runner_image_v0", "cos-agent": "cos_agent" } as const;
/** The actions that need no cloud, which is never there; what they do is tested with one elsewhere. */
const WITHOUT_CLOUD = ["run", "list-builds", "show-build"];

/** An empty model. */
export async function openReader(): Promise<Reader> {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "reader-"));
  cleanup.defer(async () => await rm(directory, { recursive: true, force: true }));
  const root = join(directory, "root");
  await mkdir(root);
  const builders = cleanup.use(holdBuilders(UNITS.map((unit) => pathsOf(root, unit).builds)));
  const juju = cleanup.use(
    await FakeJuju.start({
      directory: join(directory, "j"),
      model: { name: "test", uuid: MODEL_UUID },
      version: "3.6.9",
      extraEnvironment: { IMAGE_BUILDER_ROOT: root },
      installExecAt: join(root, "usr/bin/juju-exec"),
      log: ({ message }) => {
        if (message.includes("started a build")) builders.hold();
      },
    }),
  );
  const secrets = new Map<string, string>();
  const relations = new Map<string, number>();

  const settle = async (): Promise<void> => {
    await juju.settle();
    builders.hold();
  };
  const units = (): readonly string[] => Object.keys(juju.status().applications[APPLICATION]?.units ?? {});
  const unitNamed = (word: string): string =>
    word.endsWith("/leader")
      ? (units().find((unit) => juju.status().applications[APPLICATION]?.units[unit]?.leader) ?? word)
      : word;
  const uriOf = (name: string): string => {
    const uri = secrets.get(name.replace(/^secret:/, ""));
    if (uri === undefined) throw new Error(`secret ${name} was not added`);
    return uri;
  };
  const valueOf = (text: string): string => {
    if (text.startsWith("secret:")) return uriOf(text);
    return text.startsWith("@") ? fileNamed(text.slice(1)) : text;
  };
  const options = (pairs: readonly string[]): Readonly<Record<string, string>> =>
    Object.fromEntries(pairs.map(split).map(([name, value]) => [name, valueOf(value)]));
  const content = (pairs: readonly string[]): Readonly<Record<string, string>> =>
    Object.fromEntries(
      pairs.map(split).map(([key, value]) => {
        const name = key.replace(/#file$/, "");
        return [name, name === key ? value : fileNamed(value)];
      }),
    );

  const relate = async (application: string, endpoint: keyof typeof INTERFACES): Promise<void> => {
    if (juju.status().applications[application] === undefined) {
      const other = { interface: INTERFACES[endpoint], role: "requires" } as const;
      juju.addScriptedApplication(application, { endpoints: { [endpoint]: other }, units: 1 });
    }
    const id = await juju.relate(`${APPLICATION}:${endpoint}`, `${application}:${endpoint}`);
    if (endpoint !== "image") return;
    relations.set(application, id);
    juju.setUnitData(id, `${application}/0`, credentialsOf(application));
  };

  const perform = async ({ command, words, values }: JujuLine): Promise<void> => {
    const [first = "", second = "", ...more] = words;
    const rest = words.slice(1);
    switch (command) {
      case "deploy": {
        const config = options(values.get("config") ?? []);
        await juju.deploy(second, { charm: REPOSITORY, link: true, config });
        break;
      }
      case "config":
        await juju.setConfig(first, options(rest));
        await juju.resetConfig(first, values.get("reset")?.flatMap((list) => list.split(",")) ?? []);
        break;
      case "add-secret":
        secrets.set(first, juju.addSecret(content(rest)));
        break;
      case "update-secret":
        // a page may begin where another one ended
        if (secrets.has(first)) juju.updateSecret(uriOf(first), content(rest));
        break;
      case "grant-secret":
        juju.grantSecret(uriOf(first), second);
        break;
      case "revoke-secret":
        juju.revokeSecret(uriOf(first), second);
        break;
      case "integrate":
        if (!relations.has(second))
          await relate(second, first.endsWith(":cos-agent") ? "cos-agent" : "image");
        break;
      case "remove-relation":
        await juju.removeRelation(relations.get(second) ?? -1);
        relations.delete(second);
        break;
      case "add-unit":
        await juju.addUnits(first, Number(values.get("n")?.[0] ?? 1));
        break;
      case "remove-unit":
        await juju.removeUnit(first);
        break;
      case "remove-application":
        for (const unit of units()) await juju.removeUnit(unit);
        break;
      case "refresh":
        await juju.upgradeCharm(first, REPOSITORY);
        break;
      case "run": {
        if (!WITHOUT_CLOUD.includes(second)) break;
        const given = Object.fromEntries(more.map(split).filter(([name]) => name !== "wait"));
        const { status, message } = await juju.runAction(unitNamed(first), second, given);
        // a build that is only an example
        if (status !== "completed" && !message.startsWith("there is no build ")) throw new Error(message);
        break;
      }
      default:
        return;
    }
    await settle();
  };

  const owned = cleanup.move();
  return {
    juju,
    perform,
    async endBuilds() {
      const clouds = Object.fromEntries(
        [...relations.keys()].map((name) => [cloudOf(name), `image-${name}`]),
      );
      for (const unit of units()) {
        for (const build of await listBuilds(pathsOf(root, unit).builds)) {
          if (build.state !== "running" && build.state !== "queued") continue;
          const { kind, images: specs } = build.request;
          const images = kind === "initialise" ? [] : specs.map((spec) => ({ spec, ids: clouds }));
          await builders.end(build, { outcome: "done", images });
          await juju.exec(unit, "JUJU_DISPATCH_PATH=build-changed ./dispatch");
          await settle();
        }
      }
    },
    status() {
      const unit = juju.status().applications[APPLICATION]?.units[unitNamed(`${APPLICATION}/leader`)];
      return unit === undefined ? "gone" : `${unit.workload.status} ${unit.workload.message}`;
    },
    failures: () =>
      juju
        .logs()
        .filter(({ level, message }) => level === "ERROR" && message.startsWith("hook "))
        .map(({ message }) => message),
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  };
}

function fileNamed(name: string): string {
  const text = FILES[name];
  if (text === undefined) throw new Error(`no page says what is in ${name}`);
  return text;
}

function split(pair: string): readonly [string, string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function credentialsOf(application: string): Readonly<Record<string, string>> {
  return {
    auth_url: "http://127.0.0.1:9/v3",
    password: `${application}-S3cret-pass`,
    project_domain_name: "Default",
    project_name: application,
    user_domain_name: "Default",
    username: application,
  };
}

function cloudOf(application: string): string {
  return cloudKey({
    authUrl: "http://127.0.0.1:9/v3",
    password: "",
    projectDomainName: "Default",
    projectName: application,
    userDomainName: "Default",
    username: application,
    region: null,
    caFile: null,
  });
}
