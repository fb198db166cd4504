/** clean.sh really run, in a sandbox full of traces. */
import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { runInSandbox } from "../../../support/sandbox.ts";

/** What a build and its machine leave, all to be gone. */
const TRACES = [
  "/run/image-builder/proxy.env",
  "/run/image-builder/snapd.env",
  "/run/systemd/system/snapd.service.d/image-builder.conf",
  "/run/image-builder-script/secrets",
  "/var/log/image-builder.log",
  "/etc/apt/apt.conf.d/90image-builder-proxy",
  "/var/lib/apt/lists/archive_Packages",
  "/var/lib/apt/lists/partial/half",
  "/var/lib/apt/periodic/update-stamp",
  "/var/cache/apt/pkgcache.bin",
  "/var/cache/apt/archives/jq.deb",
  "/var/cache/debconf/config.dat-old",
  "/var/lib/dpkg/status-old",
  "/var/lib/snapd/cache/abc",
  "/var/lib/systemd/coredump/core.sh",
  "/var/crash/_usr_bin_x.crash",
  "/var/tmp/.hidden",
  "/tmp/.X11/secret",
  "/tmp/build/file",
  "/root/.bash_history",
  "/root/.ssh/authorized_keys",
  "/root/.ssh/known_hosts",
  "/root/.cache/pip/http/x",
  "/root/.npm/_cacache/x",
  "/home/ubuntu/.bash_history",
  "/home/ubuntu/.python_history",
  "/home/ubuntu/.ssh/authorized_keys",
  "/home/ubuntu/.ssh/authorized_keys2",
  "/home/ubuntu/.ssh/known_hosts.old",
  "/home/ubuntu/.cache/go-build/x",
  "/home/ubuntu/.cargo/registry/cache/x.crate",
  "/home/ubuntu/go/pkg/mod/cache/x",
  "/home/admin/.ssh/authorized_keys",
  "/etc/ssh/ssh_host_ed25519_key",
  "/etc/ssh/ssh_host_ed25519_key.pub",
  "/var/lib/cloud/instances/i-1/user-data.txt",
  "/var/lib/cloud/sem/config_scripts_per_once.once",
  "/etc/netplan/50-cloud-init.yaml",
  "/etc/udev/rules.d/70-persistent-net.rules",
  "/var/lib/dhcp/dhclient.leases",
  "/var/lib/systemd/random-seed",
  "/var/lib/systemd/credential.secret",
  "/var/log/journal/0123/system.journal",
  "/var/log/syslog.1",
  "/var/log/dpkg.log.2.gz",
];
/** Logs whose writers hold them open: they stay, empty. */
const LOGS = [
  "/var/log/auth.log",
  "/var/log/wtmp",
  "/var/log/btmp",
  "/var/log/lastlog",
  "/var/log/apt/history.log",
];
/** Files whose content must not outlive them in a freed block. */
const OVERWRITTEN = [
  "/home/ubuntu/.ssh/authorized_keys",
  "/home/ubuntu/.ssh/known_hosts.old",
  "/home/admin/.ssh/authorized_keys",
  "/var/log/apt/history.log",
];
/** What runners need. */
const KEPT = [
  "/home/ubuntu/actions-runner/run.sh",
  "/home/ubuntu/.profile",
  "/home/ubuntu/.ssh/config",
  "/home/ubuntu/.cargo/bin/cargo",
  "/home/ubuntu/.rustup/toolchains/stable/bin/rustc",
  "/var/lib/dpkg/status",
  "/var/lib/snapd/snaps/juju_1.snap",
  "/var/lib/systemd/linger/ubuntu",
  "/etc/ssh/sshd_config",
  "/etc/nftables.d/aproxy.nft",
];
/** Places that are large on the machine that runs the tests. */
const EMPTY_FIRST = [
  "/root",
  "/home",
  "/var/log",
  "/var/tmp",
  "/var/cache",
  "/var/lib/apt",
  "/var/lib/snapd",
];

describe("cleaning the guest", () => {
  let output = "";
  const lines = (mark: string): string[] =>
    output
      .split("\n")
      .filter((line) => line.startsWith(`${mark} `))
      .map((line) => line.slice(mark.length + 1));

  beforeAll(async () => {
    const clean = await readFile(new URL("../../../../src/build/guest/clean.sh", import.meta.url), "utf8");
    const files = [...TRACES, ...LOGS, ...KEPT].join(" ");
    output = await runInSandbox(
      [
        "exec 2>&1",
        ...EMPTY_FIRST.map((path) => `mkdir -p ${path}; mount -t tmpfs sandbox ${path}`),
        `for file in ${files}; do mkdir -p "\${file%/*}"; [ -s "$file" ] || echo text > "$file"; done`,
        "ln -s /home/ubuntu /home/runner",
        // a second name of the same blocks shows what is in them afterwards
        ...OVERWRITTEN.map((file) => `ln ${file} $(dirname $(dirname ${file}))/.second-name.\${RANDOM}`),
        "bash -s <<'END_OF_CLEAN' || echo \"status $?\"",
        `${clean}END_OF_CLEAN`,
        `for file in ${files}; do [ ! -e "$file" ] || echo "left $file"; done`,
        `for file in ${LOGS.join(" ")}; do [ -s "$file" ] || echo "empty $file"; done`,
        "find / -xdev -name '.second-name.*' > /run/second; find /home /var/log -name '.second-name.*' >> /run/second",
        'while read -r file; do echo "overwritten $(tr -d "\\0" < "$file" | wc -c)"; done < /run/second',
        "sed 's/^/call /' /run/calls",
      ].join("\n"),
      {},
    );
  }, 30_000);

  test("ends well", () => {
    expect(lines("status").length === 0 ? "" : output).toBe("");
  });

  test("leaves no trace of the build or its machine, and all that runners need", () => {
    expect(lines("left")).toEqual([...LOGS, ...KEPT]);
  });

  test("empties the logs that are still written to", () => {
    expect(lines("empty")).toEqual(LOGS);
  });

  test("overwrites keys, histories and logs, whose blocks would else be in the image", () => {
    expect(lines("overwritten")).toEqual(OVERWRITTEN.map(() => "0"));
  });

  test("lets cloud-init forget this machine, and trims what is free at the end", () => {
    expect(lines("call")).toContain("cloud-init clean --logs --machine-id --seed --configs all");
    expect(lines("call").slice(-3)).toEqual(["sync ", "fstrim -av", "sync "]);
  });
});
