/** The systemd template that builds run as (systemd.service(5), systemd.exec(5)), and how its logs are rotated. */
import { join } from "node:path";
import { seconds } from "../../base/deadline.ts";
import { LIMITS, LONGEST_LIMIT_MS } from "../../base/limits.ts";
import type { Paths } from "../paths.ts";

/** Name of the template's instance that runs the build `id`. */
export function serviceName(id: string): string {
  return `github-runner-image-builder@${id}.service`;
}

/** What no service of ours needs (systemd.exec(5)), as lines of a unit. */
export const RESTRICTIONS = `UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
`;

/** The slice that systemd makes for the template's instances, and keeps when they are gone (systemd.slice(5)). */
export const SERVICE_SLICE = String.raw`system-github\x2drunner\x2dimage\x2dbuilder.slice`;

/**
 * The text of the template: a build outlives hooks, the agent and the charm's upgrade, ends by itself, and may write to
 * its own folders alone. V8 makes code at run time, so MemoryDenyWriteExecute is not among the restrictions.
 */
export function serviceTemplate({ home, logs, runtimeHome, compileCache, starts }: Paths): string {
  // one template serves all units of the machine, whatever their options say
  const whole = Math.ceil((LONGEST_LIMIT_MS + LIMITS.unwind) / 1000) + 60;
  const unwind = Math.ceil((LIMITS.unwind + seconds(30)) / 1000);
  return `# Written by the charm github-runner-image-builder; changes are overwritten.
[Unit]
Description=GitHub runner image build %i
After=network-online.target
Wants=network-online.target
CollectMode=inactive-or-failed

[Service]
Type=exec
ExecStart=/bin/sh ${join(starts, "%i")}
Restart=no
KillMode=mixed
TimeoutStopSec=${unwind}
RuntimeMaxSec=${whole}
SuccessExitStatus=130 143
SyslogIdentifier=github-runner-image-builder
StandardOutput=journal
StandardError=journal
ReadWritePaths=${home} ${logs} -${runtimeHome} -${compileCache}
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
${RESTRICTIONS}`;
}

/** The rotation of the logs (logrotate(8)). A builder keeps its file open and appends, so the file is cut, not moved. */
export function logRotation({ logs }: Paths): string {
  return `# Written by the charm github-runner-image-builder; changes are overwritten.
${join(logs, "*.log")} {
    weekly
    maxsize 10M
    rotate 8
    compress
    delaycompress
    copytruncate
    missingok
    notifempty
}
`;
}
