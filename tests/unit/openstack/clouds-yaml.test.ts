import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/base/errors.ts";
import { type CloudAuth, formatCloudsYaml, parseCloudsYaml } from "../../../src/openstack/index.ts";

const auth = (changes: Partial<CloudAuth> = {}): CloudAuth => ({
  authUrl: "http://keystone:5000/v3",
  projectName: "builder",
  projectDomainName: "Default",
  username: "builder",
  userDomainName: "Default",
  password: "secret",
  region: null,
  caFile: null,
  ...changes,
});

function problemsOf(text: string): readonly string[] {
  try {
    parseCloudsYaml(text, "clouds.yaml");
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error("it parsed");
}

describe("formatCloudsYaml", () => {
  test("gives what parseCloudsYaml reads back", () => {
    const clouds = new Map([
      ["plain", auth()],
      ["all", auth({ region: "RegionOne", caFile: "/etc/ssl/ca.pem" })],
      ["odd", auth({ password: `0123: "yes" # \\ ' \t\u2028 ü`, username: "no", projectName: "1e3" })],
      ["12:30", auth({ username: "1_000", password: "~" })],
    ]);
    expect(new Map(parseCloudsYaml(formatCloudsYaml(clouds), "x"))).toEqual(clouds);
  });

  test("writes line breaks of YAML 1.1 as escapes", () => {
    const text = formatCloudsYaml(new Map([["c", auth({ password: "a\u2028b\u0085c\ufeff😀" })]]));
    expect(text).toContain('password: "a\\u2028b\\u0085c\\ufeff😀"\n');
  });

  test("gives the same bytes whatever order the clouds come in", () => {
    const [a, b] = [auth({ username: "a" }), auth({ username: "b" })];
    const one = formatCloudsYaml(
      new Map([
        ["a", a],
        ["b", b],
      ]),
    );
    expect(
      formatCloudsYaml(
        new Map([
          ["b", b],
          ["a", a],
        ]),
      ),
    ).toBe(one);
  });

  test("has the keys of openstacksdk", () => {
    const text = formatCloudsYaml(new Map([["c", auth({ region: "R", caFile: "/ca" })]]));
    expect(text).toBe(`clouds:
  "c":
    auth:
      auth_url: "http://keystone:5000/v3"
      project_name: "builder"
      project_domain_name: "Default"
      username: "builder"
      user_domain_name: "Default"
      password: "secret"
    region_name: "R"
    cacert: "/ca"
    identity_api_version: 3
`);
  });
});

describe("parseCloudsYaml", () => {
  test("ignores keys it does not know and takes Default for missing domains", () => {
    const text = `
clouds:
  c:
    auth: {auth_url: "http://keystone:5000/v3", project_name: builder, username: builder, password: secret,
           user_domain_id: default, colour: blue}
    interface: public
other: 1`;
    expect(parseCloudsYaml(text, "x").get("c")).toEqual(auth());
  });

  test("lists all problems of all clouds", () => {
    const problems = problemsOf(`
clouds:
  a: {auth: {auth_url: "keystone", username: u, password: 123456}, verify: false}
  b: {auth_type: v3applicationcredential, auth: {}}
  c: 7`);
    expect(problems).toEqual([
      "clouds.yaml: cloud a: verify: false is not supported; name the CA file in cacert",
      'clouds.yaml: cloud a: the auth URL "keystone" is not an http or https address',
      "clouds.yaml: cloud a: auth.project_name is missing",
      "clouds.yaml: cloud a: auth.password must be a text that is not empty; put it in quotes",
      'clouds.yaml: cloud b: auth_type "v3applicationcredential" is not supported; use password',
      "clouds.yaml: cloud b: auth.auth_url is missing",
      "clouds.yaml: cloud b: auth.project_name is missing",
      "clouds.yaml: cloud b: auth.username is missing",
      "clouds.yaml: cloud b: auth.password is missing",
      'clouds.yaml: cloud c: has no mapping "auth"',
    ]);
  });

  test.each([
    ["", "clouds.yaml is not YAML: expected a document, but the input is empty"],
    ["~", 'clouds.yaml has no mapping "clouds"'],
    ["- 1", 'clouds.yaml has no mapping "clouds"'],
    ["clouds: {}", "clouds.yaml has no cloud"],
  ])("says what is wrong with %j", (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  test("is not slowed down by aliases of aliases, nor by merges", () => {
    const laughs = Array.from(
      { length: 30 },
      (_, depth) => `a${depth + 1}: &a${depth + 1} [${`*a${depth},`.repeat(9)}]`,
    );
    const many = Array.from({ length: 3000 }, (_, key) => `k${key}: 0`).join(", ");
    const merges = `a: &a {${many}}\nb: {<<: [${"*a,".repeat(3000)}]}`;
    const began = performance.now();
    expect(problemsOf(`a0: &a0 x\n${laughs.join("\n")}`)).toEqual(['clouds.yaml has no mapping "clouds"']);
    expect(problemsOf(merges)).toEqual(['clouds.yaml has no mapping "clouds"']);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  test("changes no object but its own", () => {
    const entry = "{auth: {auth_url: http://k, project_name: p, username: u, password: secret}, polluted: x}";
    const text = `clouds:\n  __proto__: ${entry}\n  constructor: ${entry}\n  a: ${entry}\n`;
    expect([...parseCloudsYaml(text, "clouds.yaml").keys()]).toEqual(["a"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["auth"]).toBeUndefined();
  });

  test.each([
    "!!js/function 'function () {}'",
    "!!js/regexp /x/",
    "!!python/object/apply:os.system [id]",
    "!x y",
  ])("knows no types but YAML's own: %s", (value) => {
    const [problem, ...more] = problemsOf(`clouds:\n  a: ${value}\n`);
    expect(problem).toMatch(/^clouds\.yaml is not YAML: [^\n]*tag/);
    expect(more).toEqual([]);
  });

  test("does not print the password when the YAML is broken", () => {
    const [problem, ...more] = problemsOf('clouds:\n  a:\n    auth:\n      password: "hunter22\n  b: [');
    expect(problem).toMatch(/^clouds.yaml is not YAML: /);
    expect(problem).not.toContain("hunter22");
    expect(more).toEqual([]);
  });
});
