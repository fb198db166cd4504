/** The recipe really run, twice, in a sandbox: real bash, users and files; stand-ins for apt, snapd and the network. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { tarArchive } from "../../../../lab/gateway/tar.ts";
import { userData } from "../../../../src/build/cloud-init/user-data.ts";
import type { ImageSpec, Recipe } from "../../../../src/build/types.ts";
import { requestWith } from "../../../support/builds.ts";
import { runInSandbox, type Seed } from "../../../support/sandbox.ts";

// many processes each, on machines that run other tests at the same time
vi.setConfig({ testTimeout: 30_000 });

const VERSION = "2.330.0";
const GH_KEYS = "2C6106201985B60E6C7AC87323F3D4EA75716059\n7F38BBB59D064DBCB3D84D725612B36462313325\n";
const recipe: Recipe = {
  ...requestWith().recipe,
  snaps: ["aproxy=latest/edge", "opentelemetry-collector", "juju", "microk8s:classic"],
  runnerMirror: "https://r.example/releases",
  yqMirror: "https://y.example/releases",
};
const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** A runner's archive. */
const RUNNER = gzipSync(tarArchive([{ path: "run.sh", mode: 0o755, text: "#!/bin/sh\necho run\n" }], 0));

interface Run {
  /** What the sandbox differs by from the machine after each run. */
  readonly trees: readonly [string, string];
  /** Calls of stand-ins in the first run. */
  readonly calls: readonly string[];
  readonly file: (path: string) => string;
  readonly failed: string;
  readonly log: string;
}

/** The files that a guest of `spec` begins with, and the web that it sees. */
function world(spec: ImageSpec): Record<string, string | Uint8Array> {
  const runnerUrl = `/srv/web/r.example/releases/download/v${VERSION}/actions-runner-linux-${spec.arch}-${VERSION}.tar.gz`;
  const yqUrl = "/srv/web/y.example/releases/download/v4.53.2";
  const yqName = spec.arch === "x64" ? "yq_linux_amd64" : `yq_linux_${spec.arch}`;
  return {
    "/etc/os-release": `VERSION_CODENAME=${spec.base}\n`,
    "/etc/apt/sources.list": "deb http://archive.ubuntu.com/ubuntu focal main\n",
    "/etc/apt/sources.list.d/ubuntu.sources":
      "Types: deb\nURIs: http://ports.ubuntu.com/ubuntu-ports\nSuites: noble\nComponents: main\n",
    "/srv/architecture": spec.arch === "x64" ? "amd64\n" : "arm64\n",
    [runnerUrl]: RUNNER,
    [`${runnerUrl}.sha256`]: `${sha256(RUNNER)}  file.tar.gz\n`,
    [`${yqUrl}/${yqName}`]: "the binary\n",
    [`${yqUrl}/checksums_hashes_order`]: "CRC32\nMD5\nSHA-256\nSHA-512\n",
    [`${yqUrl}/checksums`]: `other  c  m  s  t\n${yqName}  c  m  ${sha256("the binary\n")}  t\n`,
    "/srv/web/cli.github.com/packages/githubcli-archive-keyring.gpg": GH_KEYS,
  };
}

/** Runs the recipe for `spec` twice in a world that `changes` changed. */
async function run(spec: ImageSpec, changes: Partial<Recipe> = {}, seed: Seed = {}): Promise<Run> {
  const text = await userData(spec, { ...recipe, ...changes }, VERSION, "build-1");
  const output = await runInSandbox(
    [
      "exec 2>&1",
      "getent passwd ubuntu > /dev/null || useradd --create-home --shell /bin/bash ubuntu",
      // pauses between tries are the frame's own affair
      `sed 's/^retry() {/sleep() { :; }\\n&/' > /run/user-data <<'END_OF_USER_DATA'\n${text}END_OF_USER_DATA`,
      "bash /run/user-data; cp /run/calls /run/first-calls; tree > /run/first",
      // the next try of the same build begins with a fresh /run/image-builder
      "rm -r /run/image-builder/sections.tsv; bash /run/user-data; tree > /run/second",
      'part() { echo; echo "@@@ $1"; cat "$2" 2> /dev/null; }',
      "part first /run/first; part second /run/second; part calls /run/first-calls",
      "part apt-proxy /run/image-builder/apt-proxy.conf; part failed /run/image-builder/failed; part log /var/log/image-builder.log",
      'cd /run/outside; find etc home usr/bin usr/local/bin var/lib/systemd/linger -type f | while read -r f; do part "/$f" "$f"; done',
    ].join("\n"),
    { ...world(spec), ...seed },
  );
  const parts = new Map(
    output
      .split("\n@@@ ")
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]),
  );
  const file = (name: string): string => parts.get(name) ?? "";
  return {
    trees: [file("first"), file("second")],
    calls: file("calls").trimEnd().split("\n"),
    file,
    failed: file("failed").trim(),
    log: file("log"),
  };
}

const PROXY = { http: "http://198.51.100.7:3128", https: "", noProxy: "192.0.2.0/24,localhost" };
const MIRROR = "http://mirror.example/ubuntu";

describe("the recipe, run twice", () => {
  const CASES: readonly (readonly [string, ImageSpec, Partial<Recipe>])[] = [
    ["plain", { base: "noble", arch: "x64" }, {}],
    [
      "behind a proxy and with a mirror, 32-bit ARM",
      { base: "noble", arch: "arm" },
      { proxy: PROXY, aptMirror: MIRROR },
    ],
    ["focal with a mirror", { base: "focal", arch: "x64" }, { aptMirror: MIRROR }],
    ["resolute", { base: "resolute", arch: "arm64" }, {}],
  ];

  test.each(CASES)("leaves the same the second time: %s", async (_what, spec, changes) => {
    const { trees, failed, log } = await run(spec, changes);
    expect(`${failed}${failed === "" ? "" : log}`).toBe("");
    expect(trees[1]).toBe(trees[0]);
    expect(trees[0]).toMatch(/^f 755 0:0 \.\/usr\/bin\/yq/m);
    expect(trees[0]).toMatch(/^f \d+ (\d+):\d+ \.\/home\/ubuntu\/actions-runner\/run\.sh/m);
    expect(trees[0]).toMatch(/^l \d+ \S+ \.\/home\/runner \/home\/ubuntu$/m);
  });
});

describe("the recipe", () => {
  test("installs snaps once, and leaves what costs a runner its boot disabled", async () => {
    const { calls } = await run({ base: "noble", arch: "x64" });
    expect(calls.filter((call) => /^snap (install|stop|set)/.test(call))).toEqual([
      "snap install aproxy --channel=latest/edge",
      "snap install opentelemetry-collector",
      "snap stop --disable opentelemetry-collector",
      "snap install juju",
      "snap install microk8s --classic",
      "snap stop --disable microk8s",
    ]);
    expect(calls.filter((call) => call.startsWith("apt-get")).join("\n")).toMatch(
      /Error-Mode=any update\n.*--force-confold dist-upgrade\n.*--no-install-recommends install build-essential .* nftables /,
    );
  });

  test("sends a runner's web traffic to aproxy behind a proxy, but for what is near", async () => {
    const { calls, file, trees } = await run({ base: "noble", arch: "x64" }, { proxy: PROXY });
    expect(calls).toContain("snap set aproxy proxy=198.51.100.7:3128 listen=:8444");
    expect(calls).toContain("nft -c -f /etc/nftables.conf");
    expect(calls).toContain("systemctl enable nftables.service");
    expect(calls).toContain("systemctl restart snapd.service");
    const rules = file("/etc/nftables.d/aproxy.nft");
    for (const network of ["192.168.0.0/16", "169.254.0.0/16", "192.0.2.0/24", "198.51.100.7"]) {
      expect(rules.split(`    ip daddr ${network} return\n`)).toHaveLength(3);
    }
    expect(rules.split("    tcp dport { 80, 443 } counter redirect to :8444\n")).toHaveLength(3);
    expect(file("/etc/nftables.conf")).toContain('include "/etc/nftables.d/aproxy.nft"\n');
    expect(file("apt-proxy")).toBe(`Acquire::http::Proxy "${PROXY.http}";\n`);
    // on tmpfs: no block of the disk ever holds a password
    expect(trees[0]).toContain(
      "./etc/apt/apt.conf.d/90image-builder-proxy /run/image-builder/apt-proxy.conf",
    );
    expect(file("/etc/environment")).not.toContain("198.51.100.7");
  });

  test("adds 32-bit ARM beside the system's own architecture, and keeps it on a runner's first boot", async () => {
    const { calls, file } = await run({ base: "noble", arch: "arm" });
    expect(calls).toContain("dpkg --add-architecture armhf");
    expect(file("/etc/apt/sources.list.d/ubuntu.sources")).toMatch(/^Types: deb\nArchitectures: arm64\nURIs/);
    expect(file("/etc/apt/sources.list")).toContain("deb [arch=arm64] http://archive");
    expect(file("/etc/apt/sources.list.d/image-builder-armhf.sources")).toMatch(
      /URIs: http:\/\/ports.ubuntu.com\/ubuntu-ports\nSuites: noble noble-updates noble-security\n[^]*Architectures: armhf\n/,
    );
    expect(file("/etc/cloud/cloud.cfg.d/99-image-builder-apt.cfg")).toContain("preserve_sources_list: true");
    expect(calls).toContain("runuser -u ubuntu -- env HOME=/home/ubuntu rustup default stable");
  });

  test.each([
    [
      "GitHub CLI's keyring holds a key that is not known",
      "github-cli",
      { base: "focal", arch: "x64" } as const,
      { "/srv/web/cli.github.com/packages/githubcli-archive-keyring.gpg": `${GH_KEYS}BAD0BAD0\n` },
      /E: .* holds the key BAD0BAD0, which is not GitHub CLI's/,
    ],
    [
      "yq is not what its release says",
      "yq",
      { base: "noble", arch: "x64" } as const,
      { "/srv/web/y.example/releases/download/v4.53.2/yq_linux_amd64": "another binary\n" },
      /E: .*yq_linux_amd64 does not have the SHA-256/,
    ],
    [
      "the runner is not what its release says",
      "runner",
      { base: "noble", arch: "x64" } as const,
      {
        [`/srv/web/r.example/releases/download/v${VERSION}/actions-runner-linux-x64-${VERSION}.tar.gz.sha256`]:
          "0".repeat(64),
      },
      /E: .* does not have the SHA-256 0{64} that its release names/,
    ],
  ])("fails when %s", async (_what, section, spec, seed, reason) => {
    const { failed, log } = await run(spec, {}, seed);
    expect(failed).toBe(section);
    expect(log).toMatch(reason);
  });
});

describe("the runner's checksum", () => {
  const spec = { base: "noble", arch: "x64" } as const;
  const name = `actions-runner-linux-x64-${VERSION}.tar.gz`;
  const url = `/srv/web/r.example/releases/download/v${VERSION}/${name}`;
  const notes = `/srv/web/r.example/releases/tag/v${VERSION}`;

  /** Runs the runner's section alone, in a world without a checksum but for `seed`. */
  async function runner(seed: Seed): Promise<{ readonly log: string; readonly failed: string }> {
    const { [`${url}.sha256`]: _, ...rest } = world(spec);
    const alone = { snaps: [], npmPackages: [], yqMirror: "", packages: ["-*"] };
    const text = await userData(spec, { ...recipe, ...alone }, VERSION, "build-1");
    const output = await runInSandbox(
      `getent passwd ubuntu > /dev/null || useradd --create-home ubuntu\nbash <<'END_OF_USER_DATA'\n${text}END_OF_USER_DATA\n` +
        "cat /run/image-builder/failed /var/log/image-builder.log 2> /dev/null; exit 0",
      { ...rest, ...seed },
    );
    return { log: output, failed: output.startsWith("runner\n") ? "runner" : "" };
  }

  test("is taken from the release's notes where there is no file", async () => {
    const told = (sum: string): Seed => ({
      [notes]: `<li>${"f".repeat(64)}</li>\n<li>${name}\n <code>${sum}</code></li>\n<li>${"e".repeat(64)}</li>`,
    });
    expect(await runner(told(sha256(RUNNER)))).toMatchObject({ failed: "" });
    expect(await runner(told("a".repeat(64)))).toMatchObject({ failed: "runner" });
  });

  test("is missed aloud where nobody tells it", async () => {
    const { failed, log } = await runner({});
    expect(failed).toBe("");
    expect(log).toContain("WARNING: the runner is not verified");
  });
});
