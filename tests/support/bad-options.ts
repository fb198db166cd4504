/** Every option with values that must be refused, each with the exact sentence, and values at the edge that are fine. */
import { rootCertificates } from "node:tls";
import type { ConfigValue } from "../../src/juju/index.ts";
/** What a bad value is refused with. */
export interface BadValue {
  readonly value: ConfigValue;
  readonly sentence: string;
}

/** One option's row. */
export interface OptionRow {
  readonly bad: readonly BadValue[];
  /** Values that are taken. */
  readonly good: readonly ConfigValue[];
}

/** A mebibyte of text. */
export const MEGABYTE = "a".repeat(1 << 20);

/** A text that no message may repeat: tests look for it in every sentence. */
export const HIDDEN = "hunter2-S3cret";

const bad = (value: ConfigValue, sentence: string): BadValue => ({ value, sentence });

/** What no option of text takes: Juju gives other types after an upgrade that changed the option's type. */
const wrongTypes = (option: string): readonly BadValue[] => [
  bad(7, `${option}: set it to a text, not to a number`),
  bad(Number.NaN, `${option}: set it to a text, not to a number`),
  bad(true, `${option}: set it to a text, not to true or false`),
];

const UNPRINTABLE = [
  ["a\nb", "U+000A"],
  ["a\tb", "U+0009"],
  ["a\0b", "U+0000"],
  ["\u001b[31mred", "U+001B"],
  ["a\u007fb", "U+007F"],
  ["a\u0085b", "U+0085"],
  ["a\u2028b", "U+2028"],
  ["a\u200bb", "U+200B"],
  ["a\u202eb", "U+202E"],
  ["a\ud83d", "U+D83D"],
  ["a\ufffdb", "U+FFFD"],
] as const;

function nameRow(option: string, empty: "required" | "optional"): OptionRow {
  const unset = `set ${option}: a build needs a project to build in`;
  return {
    bad: [
      ...(empty === "required" ? ["", "   ", "\t\n"].map((value) => bad(value, unset)) : []),
      ...UNPRINTABLE.map(([value, code]) =>
        bad(value, `${option}: take out the character ${code}, which cannot be printed`),
      ),
      bad("n".repeat(300), `${option}: set it to at most 255 characters; it has 300 now`),
      bad(MEGABYTE, `${option}: set it to at most 255 characters; it has 1048576 now`),
      ...wrongTypes(option),
    ],
    good: [
      "n",
      " padded ",
      "with-newline-at-its-end\n",
      "Zoë's größter Flavor 😀",
      "two words",
      "$(id); 'quoted' \"x\" \\",
      "-leading-dash",
      "n".repeat(255),
      ...(empty === "optional" ? ["", "   "] : []),
    ],
  };
}

function addressRow(
  option: string,
  { empty, query }: { readonly empty: string | null; readonly query: boolean },
): OptionRow {
  const none = `${option}: set it to an http or https address`;
  const port = `${option}: set it to an address with a port from 1 to 65535`;
  const credentials = `${option}: take the user name and password out of the address`;
  return {
    bad: [
      ...(empty === null ? [] : [bad("", empty), bad("  ", empty)]),
      ...[
        "keystone.example",
        "ftp://k.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "https:///v3",
        "http:/k.example",
        "https://k.example/a b",
        "https://k example/",
        "https://k.example/a\nb",
        "https://k.example/\0",
        "https://k.example/\u001b[31m",
        "https://k.example/\u0085",
        "https://k.example/\ud800",
        "https://k.example\\v3",
        "https://k.example/<x>",
        "https://[::1/",
        `https://k.example/${MEGABYTE}`,
        MEGABYTE,
      ].map((value) => bad(value, none)),
      bad("https://k.example:0/v3", port),
      bad("https://k.example:99999/v3", port),
      bad("https://k.example:/v3", port),
      bad(`https://user:${HIDDEN}@k.example/v3`, credentials),
      bad(`https://${HIDDEN}@k.example/v3`, credentials),
      bad(`https://user:${HIDDEN}@k.example:0/v3`, credentials),
      ...(query
        ? []
        : ["https://k.example/?a=1", "https://k.example/#top"].map((value) =>
            bad(value, `${option}: take ? and # and what follows them out of the address`),
          )),
      ...wrongTypes(option),
    ],
    good: [
      "http://k.example",
      " https://k.example:65535/v3/ ",
      "HTTPS://K.example:1",
      "http://[2001:db8::1]:5000/v3",
      "http://10.0.0.1/identity/v3",
      "https://k.example/a%20b/~c",
      ...(query ? ["https://k.example/setup.sh?token=1&x=%20#top"] : []),
      ...(empty === null ? ["", "  "] : []),
    ],
  };
}

const flagRow = (option: string): OptionRow => ({
  bad: ["", "true", "yes", 0, 1, Number.NaN, MEGABYTE].map((value) =>
    bad(value, `${option}: set it to true or false`),
  ),
  good: [true, false],
});

function wholeRow(option: string, least: number, most: number): OptionRow {
  const sentence = `${option}: set it to a whole number from ${least} to ${most}`;
  const values = [
    least - 1,
    most + 1,
    ...(least === 0 ? [] : [0, -least]),
    least + 0.5,
    1e300,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "",
    " ",
    String(least),
    "0x10",
    "soon",
    MEGABYTE,
    true,
    false,
  ];
  return { bad: values.map((value) => bad(value, sentence)), good: [least, most] };
}

interface ListWords {
  /** An item that has the list's form, and how a sentence ends about one that has not. */
  readonly item: string;
  readonly is: string;
  readonly misfits: readonly string[];
  /** Pairs that name the same thing twice, with the name. */
  readonly twice: readonly (readonly [string, string])[];
  readonly good: readonly string[];
}

function listRow(option: string, { item, is, misfits, twice, good }: ListWords): OptionRow {
  return {
    bad: [
      ...misfits.map((value) => bad(value, `${option}: "${value}" is not ${is}`)),
      bad(`${item},A B,C D,E F`, `${option}: "A B" is not ${is} (nor are 2 more)`),
      bad("x".repeat(300), `${option}: "${"x".repeat(40)}..." is not ${is}`),
      bad(`https://me:${HIDDEN}@x.example/y`, `${option}: "https://..." is not ${is}`),
      bad(`${item},a\u001b[31m`, `${option}: take out the character U+001B, which cannot be printed`),
      bad(`a\u0085b,${item}`, `${option}: take out the character U+0085, which cannot be printed`),
      bad("a\0", `${option}: take out the character U+0000, which cannot be printed`),
      bad("a\ud800", `${option}: take out the character U+D800, which cannot be printed`),
      bad(MEGABYTE, `${option}: set it to at most 10000 characters; it has 1048576 now`),
      bad("A,".repeat(1 << 19), `${option}: set it to at most 10000 characters; it has 1048576 now`),
      ...twice.map(([value, name]) => bad(value, `${option}: name "${name}" once only`)),
      ...wrongTypes(option),
    ],
    good: ["", " , ,", `${item},${item}`, ` ${item} ,, `, `${item},\n  other`, ...good],
  };
}

const enumerated = (option: string, fix: string, values: readonly string[]): readonly BadValue[] => [
  ...[...values, ...UNPRINTABLE.map(([value]) => value), MEGABYTE].map((value) =>
    bad(value, `${option}: ${fix}`),
  ),
  ...wrongTypes(option),
];

function secretRow(option: string, empty: "required" | "optional"): OptionRow {
  const fix = "set it to the URI of a Juju secret, such as secret:cq5k...";
  return {
    bad: [
      ...(empty === "required" ? [bad("", `set ${option}: a build needs a project to build in`)] : []),
      ...enumerated(option, fix, [
        HIDDEN,
        "secret:",
        `secret:${HIDDEN}`,
        "secret:cq5k",
        "cq5k0abcq5k0abcq5k0a",
        "secret:CQ5K0ABCQ5K0ABCQ5K0A",
        "secret:cq5k0abcq5k0abcq5k0a b",
        `secret:${MEGABYTE}`,
      ]),
    ],
    good: [
      "secret:cq5k0abcq5k0abcq5k0a",
      " secret:cq5k0abcq5k0abcq5k0a\n",
      "secret://0c9a2e34-7d0b-4a55-9c3e-1f6f8d5b7a10/cq5k0abcq5k0abcq5k0a",
      ...(empty === "optional" ? ["", " "] : []),
    ],
  };
}

const PAIRS = "script-secret: write it as name=value name2=value2, with names of letters, digits and _";

const PEM =
  "ca-certificates: set it to certificates in PEM, each from -----BEGIN CERTIFICATE----- to its END line";
const CERTIFICATE = rootCertificates[0] ?? "";
const LIMIT_NAMES =
  "time-limits: write it as name=time, such as script=90m; docs/reference/limits.md has the names";

/** By option; a test fails when config.yaml has one that is missing here. */
export const OPTION_ROWS: Readonly<Record<string, OptionRow>> = {
  architecture: {
    bad: enumerated("architecture", "set it to one of x64, arm64, s390x, ppc64le, arm", [
      "",
      " ",
      "riscv64",
      "x64,arm64",
      "constructor",
      "__proto__",
      "x 64",
      "x64\0",
    ]),
    good: ["x64", " AMD64 ", "aarch64", "armhf\n", "ppc64el"],
  },
  "base-image": {
    bad: enumerated("base-image", "set it to a comma-separated list of focal, jammy, noble, resolute", [
      "",
      " ",
      ",",
      "noble,trusty",
      "noble jammy",
      "24.4",
      "valueOf",
      "noble,\u0085",
      "noble\0",
    ]),
    good: ["noble", " 24.04 ,, jammy,", "noble,noble,24.04", "FOCAL", "noble,\njammy"],
  },
  "build-flavor": nameRow("build-flavor", "optional"),
  "build-network": nameRow("build-network", "optional"),
  "build-interval": wholeRow("build-interval", 1, 24),
  "openstack-auth-url": addressRow("openstack-auth-url", {
    empty: "set openstack-auth-url: a build needs a project to build in",
    query: false,
  }),
  "openstack-user-name": nameRow("openstack-user-name", "required"),
  "openstack-user-domain-name": nameRow("openstack-user-domain-name", "required"),
  "openstack-password-secret": secretRow("openstack-password-secret", "required"),
  "openstack-project-name": nameRow("openstack-project-name", "required"),
  "openstack-project-domain-name": nameRow("openstack-project-domain-name", "required"),
  "openstack-region": nameRow("openstack-region", "optional"),
  "revision-history-limit": wholeRow("revision-history-limit", 2, 99),
  schedule: {
    bad: [
      ...[
        ["@daily", "@daily"],
        ["* * * *", "* * * *"],
        ["0 0 3 * * *", "0 0 3 * * *"],
        ["; rm -rf /", "; rm -rf /"],
        ["x".repeat(200), `${"x".repeat(40)}...`],
      ].map(([value = "", quoted = ""]) =>
        bad(
          value,
          `schedule: write five fields as in crontab(5), such as "30 3 * * 1-5", instead of "${quoted}"`,
        ),
      ),
      bad("60 3 * * *", 'schedule: "60" is no minute that cron understands'),
      bad("0 3 * * %", 'schedule: "%" is no day of the week that cron understands'),
      bad("0 3 30 2 *", 'schedule: "0 3 30 2 *" names a day that never comes'),
      ...nameRow("schedule", "optional").bad,
    ],
    good: ["", "  ", "30 3 * * 1-5", " 0 */6 * * * ", "0 0 1 jan,Jul *"],
  },
  "remove-departed-images": flagRow("remove-departed-images"),
  "rebuild-on-release": flagRow("rebuild-on-release"),
  "base-image-require-signature": flagRow("base-image-require-signature"),
  "parallel-images": wholeRow("parallel-images", 1, 4),
  "metrics-port": wholeRow("metrics-port", 0, 65_535),
  "base-image-serial": {
    bad: enumerated(
      "base-image-serial",
      "leave it empty or set it to a serial such as 20261120 or 20261120.1",
      [
        "2026112",
        "202611200",
        "current",
        "20261120.",
        "20261120.x",
        "../20261120",
        "20261120/1",
        "2026-11-20",
      ],
    ),
    good: ["", " ", "20261120", "20261120.1", " 20261120.12 "],
  },
  "script-sha256": {
    bad: enumerated(
      "script-sha256",
      "leave it empty or set it to the 64 hexadecimal digits of the script's SHA-256",
      ["abc", "0".repeat(63), "0".repeat(65), "g".repeat(64), `sha256:${"0".repeat(64)}`],
    ),
    good: ["", " ", "0".repeat(64), "ABCDEF0123456789".repeat(4)],
  },
  "runner-version": {
    bad: enumerated("runner-version", "leave it empty or set it to a version such as 2.330.0", [
      "v2.330.0",
      "latest",
      "2.330",
      "2.330.0.1",
      "2..0",
      "-1.0.0",
      "2.330.x",
      "1.0.0\0",
      `2.330.${"9".repeat(300)}`,
    ]),
    good: ["", "  ", "2.330.0", " 0.0.0 ", "2.330.0\n"],
  },
  "runner-mirror": addressRow("runner-mirror", {
    empty: "runner-mirror: set it to an http or https address",
    query: false,
  }),
  "script-url": addressRow("script-url", { empty: null, query: true }),
  "script-secret-id": secretRow("script-secret-id", "optional"),
  "notify-url": secretRow("notify-url", "optional"),
  "ca-certificates": {
    bad: [
      ...[
        "x",
        CERTIFICATE.slice(30),
        `${CERTIFICATE}\nx`,
        CERTIFICATE.replaceAll("CERTIFICATE", "PRIVATE KEY"),
      ].map((value) => bad(value, PEM)),
      bad(
        `${CERTIFICATE}\n${CERTIFICATE.replace(/[A-Za-z0-9+/]{20}/, "A".repeat(20))}`,
        "ca-certificates: certificate 2 of 2 cannot be read; copy it again",
      ),
      bad(MEGABYTE, "ca-certificates: set it to at most 500000 characters; it has 1048576 now"),
      ...wrongTypes("ca-certificates"),
    ],
    good: ["", " ", CERTIFICATE, `\n${CERTIFICATE}\r\n${CERTIFICATE}\n`],
  },
  "time-limits": {
    bad: [
      ...[
        "90m",
        "script",
        "script=",
        "Script=1m",
        "constructor=1m",
        "script=1d",
        "script=-1m",
        "cloudInit=1m",
      ].map((value) => bad(value, LIMIT_NAMES)),
      ...["script=0s", "script=25h", "script=999999m"].map((value) =>
        bad(value, "time-limits: set script to a time from 1s to 24h"),
      ),
      bad("script=1m,script=2m", "time-limits: name script once only"),
      bad("script=1m\0", "time-limits: take out the character U+0000, which cannot be printed"),
      bad(MEGABYTE, "time-limits: set it to at most 1000 characters; it has 1048576 now"),
      ...wrongTypes("time-limits"),
    ],
    good: ["", " ", "script=90m", "script=90m, upload=3h cloud-init=5400s", "build=24h"],
  },
  "script-secret": {
    bad: [
      ...[
        HIDDEN,
        `A=1 ${HIDDEN}`,
        "=",
        `=${HIDDEN}`,
        "1A=x",
        "a-b=x",
        "A =x",
        "Ä=x",
        MEGABYTE.slice(0, 9000),
      ].map((value) => bad(value, PAIRS)),
      bad(`A=1 B=2 A=${HIDDEN}`, 'script-secret: give "A" one value only'),
      bad(`A=${HIDDEN}\u001b`, "script-secret: take out the character U+001B, which cannot be printed"),
      bad(`A=${HIDDEN}\0`, "script-secret: take out the character U+0000, which cannot be printed"),
      bad(`A=${HIDDEN}\u0085B=1`, "script-secret: take out the character U+0085, which cannot be printed"),
      bad(`A=${HIDDEN}\ud800`, "script-secret: take out the character U+D800, which cannot be printed"),
      bad(`A=${MEGABYTE}`, "script-secret: set it to at most 65536 characters; it has 1048578 now"),
      ...wrongTypes("script-secret"),
    ],
    good: ["", "  ", "A=1", "A=a=b== _B2=", " A=1\nB=2\t", "__proto__=x", `A=${"v".repeat(65_000)}`],
  },
  "base-image-mirror": addressRow("base-image-mirror", {
    empty: "base-image-mirror: set it to an http or https address",
    query: false,
  }),
  "apt-mirror": addressRow("apt-mirror", { empty: null, query: false }),
  "yq-mirror": addressRow("yq-mirror", { empty: null, query: false }),
  "apt-packages": listRow("apt-packages", {
    item: "zsh",
    is: "the name of a Debian package (or -name to remove one)",
    misfits: ["Zsh", "--allow=x", "a;id", "rm -rf /", "-", "zsh=1.2", "$(id)", "constructor.Name"],
    twice: [
      ["zsh,-zsh", "zsh"],
      ["-gh,zsh,gh", "gh"],
    ],
    good: ["-*,zsh", "-gh", "libstdc++6", "a".repeat(214)],
  }),
  snaps: listRow("snaps", {
    item: "go=1.22/stable:classic",
    is: "name[=channel][:classic]",
    misfits: ["yq:strict", "$(id)", "-*", "yq=", "Go", "go=a b"],
    twice: [
      ["go=1.22,go=1.23", "go"],
      ["yq,yq:classic", "yq"],
    ],
    good: ["yq:classic", "aproxy=latest/edge"],
  }),
  "npm-packages": listRow("npm-packages", {
    item: "yarn",
    is: "the name of an npm package",
    misfits: ["a b", "-*", "--force", "@scope", "@/x", "yarn@", "../x"],
    twice: [
      ["yarn@1,yarn@2", "yarn"],
      ["@a/b,@a/b@^1.2", "@a/b"],
    ],
    good: ["@scope/tool@^1.2", "yarn@1.22.22", "a,b@latest"],
  }),
};
