/** A bare machine for a unit: a guest of the lab with systemd, cron and logrotate, without Node.js and the internet. */
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { silentLogger } from "../../src/base/log.ts";
import { ResourceScope } from "../../src/base/scope.ts";
import { createImage, deleteImage, openCloud, uploadImage, waitForImage } from "../../src/openstack/index.ts";
import { ensureGuestImage } from "../guest-image/image.ts";
import { gatewayOf, IMAGES, scriptEnvironment, type LabCloud } from "../layout.ts";
import { resetProject } from "../reset.ts";
import { bootServer } from "../story/boot-server.ts";
import { openMachine, type RemoteMachine } from "./remote-machine.ts";

/** What the agent listens on; root's shell of a person is on port 22. */
export const AGENT_PORT = 17_022;

/**
 * Juju's agent on the machine: an SSH server that the controller works through. As with the real one, hooks are processes
 * of its service, its sockets go with it, and the machine starts it.
 */
const AGENT = `[Unit]
Description=juju agent for machine-0
After=network.target ssh.service

[Service]
ExecStart=/usr/sbin/sshd -D -p ${AGENT_PORT} -o PermitRootLogin=prohibit-password -o StreamLocalBindUnlink=yes -o MaxSessions=60 -o PidFile=none
Restart=always
RuntimeDirectory=sshd
RuntimeDirectoryMode=0755
RuntimeDirectoryPreserve=yes

[Install]
WantedBy=multi-user.target
`;

const USER_DATA = `#cloud-config
disable_root: false
write_files:
  - path: /etc/systemd/system/jujud-machine-0.service
    content: |
${AGENT.replaceAll(/^(?=.)/gm, "      ")}
runcmd:
  - systemctl enable --now jujud-machine-0.service
`;

/** A machine that runs; dispose of it to delete it with all that came with it. */
export interface BootedMachine extends AsyncDisposable {
  readonly host: string;
  readonly machine: RemoteMachine;
}

/**
 * Boots it in the administrator's project, beside the charm's own, and connects to its agent. `signal` ends all waiting for
 * it, also after a restart.
 */
export async function bootMachine(lab: LabCloud, signal: AbortSignal): Promise<BootedMachine> {
  const call = { signal };
  const auth = { ...lab.administrator, caFile: null };
  // a test that was killed left its machine
  await resetProject(lab.administrator, signal);
  const cloud = await openCloud("machines", auth, { signal, log: silentLogger });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => cloud.close());
  const scope = stack.use(new ResourceScope(silentLogger));
  const name = `machine-${randomBytes(3).toString("hex")}`;
  const env = scriptEnvironment(lab.kind);
  const file = await ensureGuestImage(IMAGES, { env, log: () => {}, signal });
  const { id: imageId } = await createImage(
    cloud,
    {
      name,
      diskFormat: "qcow2",
      containerFormat: "bare",
      minDiskGb: 0,
      minRamMb: 0,
      visibility: "private",
      tags: [],
      properties: {},
    },
    call,
  );
  scope.defer("image", async (undo) => await deleteImage(cloud, imageId, { signal: undo }));
  await uploadImage(cloud, imageId, createReadStream(file.path), call);
  await waitForImage(cloud, imageId, call);
  const { host, privateKey } = await bootServer(
    cloud,
    scope,
    { name, imageId, flavor: lab.flavor.medium, ports: [22, AGENT_PORT], userData: USER_DATA },
    signal,
  );
  const machine = stack.use(
    await openMachine({ host, port: AGENT_PORT, privateKey }, gatewayOf(lab.kind), signal),
  );
  const kept = stack.move();
  return { host, machine, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}
