/** The units of systemd that serve metrics: a socket, and what answers each connection (systemd.socket(5)). */
import type { Paths } from "../paths.ts";
import { RESTRICTIONS } from "../service/unit.ts";

/** The text of the socket, on the loopback address alone. */
export function metricsSocketUnit(unit: string, port: number): string {
  return `# Written by the charm github-runner-image-builder; changes are overwritten.
[Unit]
Description=Metrics of the GitHub runner image builder ${unit}

[Socket]
ListenStream=127.0.0.1:${port}
Accept=yes
MaxConnections=16

[Install]
WantedBy=sockets.target
`;
}

/**
 * The text of what answers: a few lines of shell as a user of their own, which can read the metrics and nothing of the
 * builder's, with no network but the connection that they are given.
 */
export function metricsServiceUnit(unit: string, { serveScript, metricsFile }: Paths): string {
  return `# Written by the charm github-runner-image-builder; changes are overwritten.
[Unit]
Description=One answer with metrics of the GitHub runner image builder ${unit}
CollectMode=inactive-or-failed

[Service]
ExecStart=/bin/sh ${serveScript} ${metricsFile}
StandardInput=socket
StandardOutput=socket
StandardError=journal
RuntimeMaxSec=10
SyslogIdentifier=github-runner-image-builder
LogLevelMax=warning
DynamicUser=yes
PrivateNetwork=yes
ProtectProc=invisible
RestrictAddressFamilies=none
MemoryDenyWriteExecute=yes
TasksMax=8
MemoryMax=64M
${RESTRICTIONS}`;
}
