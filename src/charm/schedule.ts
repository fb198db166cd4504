/** The cron entry that fires the event `run` (crontab(5), file in /etc/cron.d). */
import { createHash } from "node:crypto";

/** What decides when builds are scheduled. */
export interface Timing {
  readonly unit: string;
  readonly modelUuid: string;
  readonly intervalHours: number;
}

/** What a cron entry is made from. */
export interface Schedule extends Timing {
  /** Juju's command that runs something in the unit's hook context. */
  readonly jujuExec: string;
  /** File that a tick holds locked while it runs. */
  readonly lockFile: string;
}

/**
 * When `schedule` fires: every `intervalHours` hours since the epoch, plus an offset that differs from unit to
 * unit, so that not all sites build at the full hour. Even gaps for every interval, also one that does not
 * divide 24.
 */
export function offsetOf(schedule: Timing): { readonly minute: number; readonly hour: number } {
  const digest = createHash("sha256").update(`${schedule.modelUuid}\n${schedule.unit}`).digest();
  return { minute: (digest[0] ?? 0) % 60, hour: (digest[1] ?? 0) % schedule.intervalHours };
}

/** The text of the cron file. A tick while the last one still waits for Juju's lock is dropped. */
export function cronFile(schedule: Schedule): string {
  const { unit, intervalHours, jujuExec, lockFile } = schedule;
  const { minute, hour } = offsetOf(schedule);
  // cron turns a bare % into a newline
  const guard = `[ $(( $(date +\\%s) / 3600 \\% ${intervalHours} )) -eq ${hour} ]`;
  const run = `flock --nonblock ${lockFile} ${jujuExec} ${unit} "${runCommand}"`;
  return [
    "# Written by the charm github-runner-image-builder; changes are overwritten.",
    "SHELL=/bin/sh",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    `${minute} * * * * root ${guard} && ${run}`,
    "",
  ].join("\n");
}

/** What runs in the unit's hook context at each tick. */
const runCommand = "JUJU_DISPATCH_PATH=run ./dispatch";

/** When a schedule fires: see {@link offsetOf}. */
export interface Ticks {
  readonly intervalHours: number;
  readonly minute: number;
  readonly hour: number;
}

/** The next tick after `now`. */
export function nextRun(schedule: Timing, now: Date): Date {
  return nextTick({ ...offsetOf(schedule), intervalHours: schedule.intervalHours }, now);
}

/** {@link nextRun} for a schedule whose offset is known. */
export function nextTick({ intervalHours, minute, hour }: Ticks, now: Date): Date {
  const hourMs = 3_600_000;
  let tick = Math.floor(now.getTime() / hourMs);
  while (tick % intervalHours !== hour || tick * hourMs + minute * 60_000 <= now.getTime()) tick += 1;
  return new Date(tick * hourMs + minute * 60_000);
}
