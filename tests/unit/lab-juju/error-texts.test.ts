import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { playground, type Playground } from "../../support/charms/shell-charm.ts";

const UNKNOWN = "00000000000000000000";

/** One deployment serves all rows: a refused command changes nothing. */
describe("a refused hook command prints one line and nothing else:", () => {
  let lab: Playground;
  beforeAll(async () => {
    lab = await playground();
    const charm = await lab.charm({
      metadata: { provides: { image: { interface: "image" } }, storage: { data: { type: "filesystem" } } },
    });
    await lab.juju.deploy("app", { charm, units: 2 });
    const endpoints = { image: { interface: "image", role: "requires" } } as const;
    lab.juju.addScriptedApplication("remote", { endpoints, units: 1 });
    await lab.juju.relate("app:image", "remote:image");
    await lab.juju.settle();
  });
  afterAll(async () => await lab[Symbol.asyncDispose]());

  it.each([
    ["config-get --nope", 2, "option provided but not defined: --nope"],
    ["config-get -x", 2, "option provided but not defined: -x"],
    ["config-get a b", 2, 'unrecognized args: ["b"]'],
    ["config-get --all a", 2, 'cannot use argument --all together with key "a"'],
    ["config-get --format=xml", 2, 'invalid value "xml" for option --format: unknown format "xml"'],
    ["env -u JUJU_CONTEXT_ID config-get", 1, "JUJU_CONTEXT_ID not set"],
    ["env -u JUJU_AGENT_SOCKET_ADDRESS config-get", 1, "JUJU_AGENT_SOCKET_ADDRESS not set"],
    ["relation-ids", 2, "no endpoint name specified"],
    ["relation-list", 2, "no relation id specified"],
    ["relation-list -r 9", 2, 'invalid value "9" for option -r: relation not found'],
    ["relation-get -r x - app/0", 2, 'invalid value "x" for option -r: invalid relation id'],
    [
      "relation-get --relation image:9 -",
      2,
      'invalid value "image:9" for option --relation: relation not found',
    ],
    ["relation-get -r 0", 2, "no unit or application specified"],
    ["relation-get -r 0 - remote", 2, 'expected unit name, got application name "remote"'],
    ["relation-get -r 0 - 'x!'", 2, 'invalid unit name "x!"'],
    ["relation-set a=b", 2, "no relation id specified"],
    ["relation-set -r 0 a", 2, 'expected "key=value", got "a"'],
    ["relation-set -r 0 a=1 a=2", 2, 'key "a" specified more than once'],
    ["relation-set -r 0 --file nope", 1, "open nope: no such file or directory"],
    ["status-set", 2, "invalid args, require <status> [message]"],
    ["status-set broken", 2, 'invalid status "broken", expected one of [maintenance blocked waiting active]'],
    ["status-set error x", 2, 'invalid status "error", expected one of [maintenance blocked waiting active]'],
    ["status-set active a b", 2, 'unrecognized args: ["b"]'],
    ["application-version-set", 2, "no version specified"],
    ["leader-get a=b", 2, 'invalid key "a=b"'],
    ["action-get", 1, "not running an action"],
    ["action-set a=1", 1, "not running an action"],
    ["action-fail x", 1, "not running an action"],
    ["action-log x", 1, "not running an action"],
    ["juju-log", 2, "no message specified"],
    ["network-get", 2, "no arguments specified"],
    ["network-get ''", 2, "no binding name specified"],
    ["network-get nope", 1, 'no network config found for binding "nope"'],
    [
      "network-get image --primary-address --bind-address",
      1,
      "--primary-address must be the only flag specified",
    ],
    ["unit-get", 2, "no setting specified"],
    ["unit-get name", 2, 'unknown setting "name"'],
    ["open-port", 2, "no port or range specified"],
    ["open-port 90-80", 2, "invalid port range 90-80/tcp"],
    ["open-port 70000/udp", 2, "invalid port range 70000-70000/udp"],
    ["state-get nope --strict", 1, '"nope" not found'],
    ["state-set $(printf %0257d 1)=x", 1, "max allowed key length (256) exceeded"],
    ["state-set a=$(printf %065537d 1)", 1, "max allowed value length (65536) exceeded"],
    ["state-delete", 2, "no key specified"],
    ["secret-get", 2, "require either a secret URI or label"],
    ["secret-get foo", 2, 'secret URI "foo" not valid'],
    [`secret-get ${UNKNOWN} --peek --refresh`, 2, "specify one of --peek or --refresh but not both"],
    [
      `secret-get ${UNKNOWN} --format=smart`,
      2,
      'invalid value "smart" for option --format: unknown format "smart"',
    ],
    [`secret-get ${UNKNOWN}`, 1, `secret "${UNKNOWN}" not found`],
    ["secret-info-get", 2, "require either a secret URI or label"],
    [`secret-info-get ${UNKNOWN} --label x`, 2, "specify either a secret URI or label but not both"],
    [`secret-info-get ${UNKNOWN}`, 1, `secret "${UNKNOWN}" not found`],
    ["secret-add", 2, "missing secret value or filename"],
    ["secret-add Key=v", 2, 'key "Key" not valid'],
    ["secret-add ab=v", 2, 'key "ab" not valid'],
    ["secret-add --owner me key=v", 2, 'secret owner "me" not valid'],
    ["secret-add --rotate often key=v", 2, 'rotate policy "often" not valid'],
    ["secret-add --expire soon key=v", 2, 'expire time or duration "soon" not valid'],
    ["secret-set", 2, "missing secret URI"],
    [`secret-grant ${UNKNOWN}`, 2, "no relation id specified"],
    [`secret-grant ${UNKNOWN} -r 0`, 1, `secret "${UNKNOWN}" not found`],
    [
      `secret-grant ${UNKNOWN} -r 0 --unit app/1`,
      2,
      'cannot specify unit "app/1" in relation to application "remote"',
    ],
    [`secret-revoke ${UNKNOWN}`, 2, "missing relation or application or unit"],
    [`secret-revoke ${UNKNOWN} --app a --unit a/0`, 2, "specify only one of application or unit"],
    [`secret-revoke ${UNKNOWN} -r 0 --app a`, 2, "do not specify both relation and app"],
    ["storage-get", 2, "no storage instance specified"],
    ["storage-get -s data", 2, 'invalid value "data" for option -s: invalid storage ID "data"'],
    ["storage-get -s data/9", 2, 'invalid value "data/9" for option -s: storage not found'],
    ["storage-get -s data/0 size", 1, 'invalid storage attribute "size"'],
    ["storage-add", 2, "storage add requires a storage directive"],
    ["storage-add data=1=2", 2, 'expected "name=directive" or "name", got "data=1=2"'],
    ["storage-add data data", 2, 'storage "data" specified more than once'],
    ["storage-add data=10G", 2, 'only count can be specified for "data"'],
    ["credential-get", 1, "cannot access cloud credentials: permission denied"],
    ["resource-get", 2, "missing required resource name"],
    ["resource-get nope", 1, 'could not download resource: resource "app/nope" not found'],
    ["juju-reboot now", 2, 'unrecognized args: ["now"]'],
  ])("%s", async (command, exit, message) => {
    const expected = { exit, stdout: "", stderr: `ERROR ${message}\n` };
    expect(await lab.juju.exec("app/0", command)).toEqual(expected);
  });

  it.each([
    ["relation-set -r 0 --app a=1", "cannot write relation settings"],
    ["relation-get -r 0 --app - app", "permission denied"],
    ["status-set --application active", "this unit is not the leader"],
    ["status-get --application", "finding application status: this unit is not the leader"],
    ["secret-add key=v", "this unit is not the leader"],
    ["leader-set a=1", "cannot write leadership settings: cannot write settings: not the leader"],
  ])("%s of a unit that does not lead", async (command, message) => {
    const expected = { exit: 1, stdout: "", stderr: `ERROR ${message}\n` };
    expect(await lab.juju.exec("app/1", command)).toEqual(expected);
  });

  it("an argument too long for the kernel never reaches the agent", async () => {
    const before = lab.juju.journal().length;
    const { exit, stderr } = await lab.juju.exec("app/0", `relation-set -r 0 a=$(printf %0131072d 1)`);
    expect(exit).toBe(126);
    expect(stderr).toContain("Argument list too long");
    expect(lab.juju.journal()).toHaveLength(before);
  });

  it("a tool of another version is unknown to the agent", async () => {
    const { stderr } = await lab.juju.exec(
      "app/0",
      `ln -s "$(readlink -f "$(command -v config-get)")" relation-teleport; ./relation-teleport`,
    );
    expect(stderr).toBe("ERROR bad request: unknown command: relation-teleport\n");
  });

  it("--help goes to standard output, with exit code 0", async () => {
    expect(await lab.juju.exec("app/0", "config-get --help")).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining("config-get"),
      stderr: "",
    });
  });
});
