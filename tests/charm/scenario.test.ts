import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  ActionFailedError,
  DispatchFailedError,
  event,
  givenSecret,
  openContext,
  peerRelation,
  relation,
  relationIn,
  state,
  uriOf,
  type Context,
  type RunOptions,
  type RunResult,
  type ScenarioEvent,
  type State,
} from "../../lab/scenario/index.ts";
import { listBuilds, type Build } from "../../src/build/history.ts";
import { pathsOf } from "../../src/build/paths.ts";
import { cloudKey } from "../../src/openstack/index.ts";
import { holdBuilders, NOBLE, type Ending } from "../support/charm-builds.ts";
import { silentServer } from "../support/charm.ts";
import { CHARM, COMPILE_CACHE } from "../support/staged-charm.ts";

/** Our charm under the test kit, on a machine of its own. */
interface Scenario extends AsyncDisposable {
  readonly run: (happening: ScenarioEvent, before: State, options?: RunOptions) => Promise<RunResult>;
  /** A complete config whose password is in `secret`, granted and never read. */
  readonly config: State["config"];
  readonly secret: ReturnType<typeof givenSecret>;
  readonly credentials: Readonly<Record<string, string>>;
  /** Name of the cloud of `credentials` in journals. */
  readonly cloud: string;
  readonly builds: () => Promise<readonly Build[]>;
  readonly endBuild: (ending: Ending) => Promise<void>;
}

async function openScenario(unit = 0): Promise<Scenario> {
  await using cleanup = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "machine-"));
  cleanup.defer(async () => await rm(folder, { recursive: true, force: true }));
  const application = "image-builder";
  const paths = pathsOf(folder, `${application}/${unit}`);
  const [jujuExec = ""] = paths.jujuExec;
  for (const path of [COMPILE_CACHE, dirname(paths.compileCache), dirname(jujuExec)])
    await mkdir(path, { recursive: true });
  await symlink(COMPILE_CACHE, paths.compileCache);
  await writeFile(jujuExec, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const { authUrl } = cleanup.use(await silentServer());
  const builders = cleanup.use(holdBuilders([paths.builds]));
  const context: Context = cleanup.use(
    await openContext({ charm: CHARM, application, unit, environment: { IMAGE_BUILDER_ROOT: folder } }),
  );
  const secret = givenSecret({ password: "S3cret-pass" });
  const account = {
    projectName: "runners",
    projectDomainName: "Default",
    username: "runner",
    userDomainName: "Default",
  };
  const owned = cleanup.move();
  return {
    async run(...parameters) {
      try {
        return await context.run(...parameters);
      } finally {
        builders.hold();
      }
    },
    secret,
    config: {
      architecture: "amd64",
      "openstack-auth-url": authUrl,
      "openstack-project-name": "build",
      "openstack-project-domain-name": "Default",
      "openstack-user-name": "builder",
      "openstack-user-domain-name": "Default",
      "openstack-password-secret": uriOf(secret),
    },
    credentials: {
      auth_url: authUrl,
      password: "runner-S3cret",
      project_name: account.projectName,
      project_domain_name: account.projectDomainName,
      username: account.username,
      user_domain_name: account.userDomainName,
    },
    cloud: cloudKey({ authUrl, ...account, password: "runner-S3cret", region: null, caFile: null }),
    builds: async () => await listBuilds(paths.builds),
    endBuild: async (ending) => await builders.end((await listBuilds(paths.builds)).at(-1), ending),
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  };
}

/** A state with complete config and its secret, and a relation whose unit has written `data`. */
function related(scenario: Scenario, data: Readonly<Record<string, string>>) {
  const runner = relation("image", { remoteUnits: { "runner/0": data } });
  const { config, secret } = scenario;
  return { runner, before: state({ config, secrets: [secret], relations: [runner] }) };
}

const said = ({ state: { unitStatus } }: RunResult): string => `${unitStatus.name} ${unitStatus.message}`;

describe("config and secrets", () => {
  it("without config: blocked, with all options named, and no build", async () => {
    await using scenario = await openScenario();
    const result = await scenario.run(event.configChanged(), state());
    expect(said(result)).toMatch(/^blocked architecture: set it to one of/);
    expect(result.logs.map(({ message }) => message).join()).toContain("openstack-password-secret");
    expect(await scenario.builds()).toEqual([]);
  });

  it("a wrong option blocks in its own name", async () => {
    await using scenario = await openScenario();
    const config = { ...scenario.config, "build-interval": 25 };
    const result = await scenario.run(event.configChanged(), state({ config, secrets: [scenario.secret] }));
    expect(said(result)).toBe("blocked build-interval: set it to a whole number from 1 to 24");
  });

  it("a secret that is not granted, one that is gone and one without the key block, each with its fix", async () => {
    await using scenario = await openScenario();
    const { config, secret } = scenario;
    const statusWith = async (secrets: State["secrets"]): Promise<string> =>
      said(await scenario.run(event.updateStatus(), state({ config, secrets })));
    expect(await statusWith([{ ...secret, granted: false }])).toContain(
      "run juju grant-secret <name> image-builder",
    );
    expect(await statusWith([])).toContain("there is no such secret");
    expect(await statusWith([{ ...secret, revisions: { 1: { pass: "x" } } }])).toContain(
      'needs the key "password"',
    );
    expect(await scenario.builds()).toEqual([]);
  });

  it("a rotated secret is tracked from then on", async () => {
    await using scenario = await openScenario();
    const rotated = {
      ...scenario.secret,
      revisions: { 1: { password: "old" }, 2: { password: "new" } },
      tracked: 1,
    };
    const { state: after } = await scenario.run(
      event.secretChanged(rotated),
      state({ config: scenario.config, secrets: [rotated] }),
    );
    expect(after.secrets).toEqual([{ ...rotated, tracked: 2 }]);
  });
});

describe("relations", () => {
  it("without one: blocked, and a build that prepares", async () => {
    await using scenario = await openScenario();
    const { config, secret } = scenario;
    const result = await scenario.run(event.start(), state({ config, secrets: [secret] }));
    expect(said(result)).toMatch(/^blocked relation image is missing: run juju integrate image-builder/);
    expect((await scenario.builds()).map(({ request }) => request.kind)).toEqual(["initialise"]);
  });

  it("one that has just been created gets nothing, and its credentials are waited for", async () => {
    await using scenario = await openScenario();
    const { runner, before } = related(scenario, {});
    await scenario.run(event.start(), before);
    await scenario.endBuild({ outcome: "done" });
    const result = await scenario.run(event.relationCreated(runner), before);
    expect(said(result)).toBe("waiting for OpenStack credentials from runner");
    expect(relationIn(result.state, runner)).toEqual(runner);
  });

  it("credentials start a build, whose images go into our databag", async () => {
    await using scenario = await openScenario();
    const { runner, before } = related(scenario, scenario.credentials);
    const changed = await scenario.run(event.relationChanged(runner, "runner/0"), before);
    expect(said(changed)).toMatch(/^maintenance building/);
    expect(relationIn(changed.state, runner).ownUnit).toEqual({});
    const images = [{ spec: NOBLE, ids: { [scenario.cloud]: "image-1" } }];
    await scenario.endBuild({ outcome: "done", images });
    const woken = await scenario.run(event.custom("build-changed"), changed.state);
    expect(relationIn(woken.state, runner).ownUnit).toMatchObject({ id: "image-1", tags: "x64,noble" });
    expect(said(woken)).toMatch(/^active noble-x64 .*published to 1 of 1 relations, next build /);

    // once the databag is seen to be right, an idle hook writes nothing and asks for secrets alone
    const seen = await scenario.run(event.updateStatus(), woken.state);
    const idle = await scenario.run(event.updateStatus(), seen.state);
    expect(idle.state).toEqual(woken.state);
    expect(idle.calls.map(({ command }) => command)).toEqual(["secret-get", "status-set"]);
  });

  it("a refused commit publishes nothing, and the next hook makes up for it", async () => {
    await using scenario = await openScenario();
    const { runner, before } = related(scenario, scenario.credentials);
    await scenario.run(event.start(), before);
    await scenario.endBuild({
      outcome: "done",
      images: [{ spec: NOBLE, ids: { [scenario.cloud]: "image-1" } }],
    });
    const refused = scenario.run(event.custom("build-changed"), before, { refuseCommit: "quota" });
    await expect(refused).rejects.toThrow("cannot run the custom event build-changed: quota");
    const { state: after } = await scenario.run(event.updateStatus(), before);
    expect(relationIn(after, runner).ownUnit).toMatchObject({ id: "image-1" });
  });

  it("one that is broken leaves the others as they are", async () => {
    await using scenario = await openScenario();
    const { runner, before } = related(scenario, scenario.credentials);
    const ownUnit = { id: "kept", tags: "x64,noble", images: '[{"id": "kept", "tags": "x64,noble"}]' };
    const gone = relation("image", { remoteUnits: { "other/0": {} }, ownUnit });
    const both = { ...before, relations: [{ ...runner, ownUnit }, gone] };
    const { state: after } = await scenario.run(event.relationBroken(gone), both);
    expect(after.relations).toEqual(both.relations);
  });
});

describe("a unit that does not lead", () => {
  const publication = {
    id: "image-7",
    tags: "x64,noble",
    images: '[{"id": "image-7", "tags": "x64,noble"}]',
  };

  it("publishes what the leader recorded in its first hook with a relation, and builds nothing", async () => {
    await using scenario = await openScenario(1);
    const { runner, before } = related(scenario, scenario.credentials);
    const peers = peerRelation("peers", {
      ownApplication: { leader: "image-builder/0", [`image-${runner.id}`]: JSON.stringify(publication) },
      peers: { "image-builder/0": {} },
    });
    const follower = { ...before, leader: false, plannedUnits: 2, relations: [peers, runner] };
    const { state: after } = await scenario.run(event.relationCreated(runner), follower);
    expect(relationIn(after, runner).ownUnit).toEqual(publication);
    expect(after.unitStatus.message).toMatch(
      /^noble-x64 .*published to 1 of 1 relations, standby for image-builder\/0$/,
    );
    expect(await scenario.builds()).toEqual([]);

    const error = await scenario.run(event.action("run"), after).catch((caught: unknown) => caught);
    expect((error as ActionFailedError).failure).toBe(
      "cannot build on image-builder/1: it does not lead; run juju run image-builder/leader run",
    );
    expect(await scenario.builds()).toEqual([]);
  });
});

describe("actions and unknown events", () => {
  it("the action run fails when nobody wants images, and says what to do", async () => {
    await using scenario = await openScenario();
    const { config, secret } = scenario;
    const run = scenario.run(event.action("run"), state({ config, secrets: [secret] }));
    const error = await run.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ActionFailedError);
    expect((error as ActionFailedError).failure).toMatch(/^cannot build: .*; integrate one first$/);
  });

  it("the action run gives the id of the build, and joins one that is under way", async () => {
    await using scenario = await openScenario();
    const { before } = related(scenario, scenario.credentials);
    const first = await scenario.run(event.action("run"), before);
    const [build] = await scenario.builds();
    expect(first.action?.results).toEqual({ build: build?.id });
    const second = await scenario.run(event.action("run"), first.state);
    expect(second.action?.results).toEqual(first.action?.results);
    expect(await scenario.builds()).toHaveLength(1);
  });

  it("a hook and a custom event that this revision does not know end well and change nothing", async () => {
    await using scenario = await openScenario();
    const { config, secret } = scenario;
    const before = state({ config, secrets: [secret], stored: { kept: "yes" } });
    for (const happening of [event.hook("collect-metrics"), event.custom("from-the-future")]) {
      const { exitCode, state: after } = await scenario.run(happening, before);
      expect(exitCode).toBe(0);
      expect({ ...after, unitStatus: before.unitStatus, secrets: before.secrets }).toEqual(before);
    }
    expect(await scenario.builds()).toEqual([]);
  });

  it("a hook command that fails ends the hook, which queues nothing and tells why", async () => {
    await using scenario = await openScenario();
    const { before } = related(scenario, scenario.credentials);
    const faults = [{ command: "relation-get", exit: 1, stderr: "ERROR connection is shut down\n" }];
    const error = await scenario
      .run(event.updateStatus(), before, { faults })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DispatchFailedError);
    expect((error as DispatchFailedError).message).toContain(
      "cannot run relation-get: connection is shut down",
    );
    expect((error as DispatchFailedError).result.state.relations).toEqual(before.relations);
    expect(await scenario.builds()).toEqual([]);
  });
});
