import { describe, expect, it } from "vitest";
import { parseCommandLine, type FlagSpec } from "../../../lab/juju/command-line.ts";
import { playground } from "../../support/charms/shell-charm.ts";

const FLAGS: readonly FlagSpec[] = [
  { names: ["all", "a"], kind: "bool" },
  { names: ["relation", "r"], kind: "string" },
];

describe("flags", () => {
  it("stand between parameters, as --flag v, --flag=v, -r v, -r7, grouped, and end at --", () => {
    expect(parseCommandLine(["x", "--relation", "7", "y", "--", "-a"], FLAGS)).toEqual({
      flags: new Set(),
      values: new Map([["relation", ["7"]]]),
      parameters: ["x", "y", "-a"],
    });
    expect(parseCommandLine(["--relation=a=b", "--all=True"], FLAGS).values.get("relation")).toEqual(["a=b"]);
    expect(parseCommandLine(["-ar7", "-"], FLAGS)).toMatchObject({
      flags: new Set(["all"]),
      parameters: ["-"],
    });
    expect(parseCommandLine(["-a", "--all=0"], FLAGS).flags.size).toBe(0);
  });

  it.each([
    [["--nope"], "option provided but not defined: --nope"],
    [["-x"], "option provided but not defined: -x"],
    [["--relation"], "option needs an argument: --relation"],
    [
      ["--all=maybe"],
      'invalid value "maybe" for option --all: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
  ])("%j are refused as %s", (words, message) => {
    expect(() => parseCommandLine(words, FLAGS)).toThrow(message);
  });
});

describe("standard input", () => {
  it("is read only when asked for, so an open one does not hang a command", async () => {
    await using lab = await playground();
    const options = { size: { type: "int", default: 3 } };
    await lab.juju.deploy("app", { charm: await lab.charm({ options }) });
    await lab.juju.settle();
    const { stdout } = await lab.juju.exec(
      "app/0",
      `mkfifo f; sleep 30 <>f & exec 3<>f; config-get size <&3; printf '{"k":"v <"}' | state-set --file -; state-get --format=json; kill %1`,
    );
    expect(stdout).toBe('3\n{"k":"v \\u003c"}\n');
    const [, set] = lab.juju.journal().filter(({ command }) => ["config-get", "state-set"].includes(command));
    expect(set?.input).toBe('{"k":"v <"}');
  });
});
