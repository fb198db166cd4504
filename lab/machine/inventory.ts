/** What there is on a machine, line by line, to be held against what there was. */
import type { RemoteMachine } from "./remote-machine.ts";

/** Files with kind and mode, digests of /etc, accounts, units, cron entries, mounts and processes; not what is Juju's own. */
const LOOK = `
find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /var/lib/juju \\) -prune -o -printf 'file %p %y %m\\n'
find /run /dev/shm /tmp -printf 'file %p %y %m\\n'
find /etc -type f -exec sha256sum {} + | sed 's/^/content /'
for list in passwd group; do getent $list | sed "s/^/$list /"; done
systemctl list-unit-files --no-legend --no-pager | sed 's/^/unit file /'
systemctl list-units --all --plain --no-legend --no-pager '*github*' | sed 's/^/unit /'
cut -d' ' -f1-3 /proc/self/mounts | sed 's/^/mount /'
ps -eo ppid=,args= | awk '$1 != 2 {$1 = "process"; print}'
`;

/** What the system itself writes while it runs, restarts and rotates its logs, and the processes of the looking. */
const OF_THE_SYSTEM: readonly RegExp[] = [
  /^file \/(run|tmp|var\/log)\//,
  /^file \/var\/(tmp|lib\/(systemd|logrotate|cloud))\//,
  /^process (sshd|ps|awk|bash|sed|cut|find|\(sd-pam\)|\/lib\/systemd\/|\/usr\/sbin\/sshd)/,
];
/** But nothing of ours, wherever it is. */
const OURS = /github.{0,6}runner|image.{0,6}builder|node/;

/** Everything on the machine that is anybody's but the system's, a line each. */
export async function takeInventory(machine: RemoteMachine): Promise<ReadonlySet<string>> {
  const lines = (await machine.shell(LOOK)).split("\n");
  const isNoise = (line: string): boolean =>
    !OURS.test(line) && OF_THE_SYSTEM.some((noise) => noise.test(line));
  return new Set(lines.filter((line) => line !== "" && !isNoise(line)));
}

/** What `after` has and `before` has not. */
export function added(before: ReadonlySet<string>, after: ReadonlySet<string>): readonly string[] {
  return [...after].filter((line) => !before.has(line));
}
