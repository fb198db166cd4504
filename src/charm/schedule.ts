/** The cron entry that fires the event `run` (crontab(5), file in /etc/cron.d), and when it does. */
import { createHash } from "node:crypto";
import type { Ticks } from "../build/ticks.ts";

/** What the options say about when to build; `cron` goes into the entry as it is. */
export type Timing =
  | { readonly kind: "interval"; readonly hours: number }
  | Extract<Ticks, { readonly kind: "cron" }>;

/** Whose schedule it is: all units of an application tick at the same time. */
export interface Site {
  readonly application: string;
  readonly modelUuid: string;
}

/** What a cron entry is made from. */
export interface Schedule extends Site {
  readonly unit: string;
  readonly timing: Timing;
  /** Juju's command that runs something in the unit's hook context. */
  readonly jujuExec: string;
  /** File that a tick holds locked while it runs. */
  readonly lockFile: string;
  /** Whether new runners and base images are looked for every hour. */
  readonly checksReleases: boolean;
}

/**
 * When an interval fires: every `hours` hours since the epoch, plus an offset that differs from application to
 * application, so that not all sites build at the full hour. Even gaps for every interval, also one that does not
 * divide 24. `minute` is of the clock that cron goes by.
 */
export function offsetOf(site: Site, hours: number): { readonly minute: number; readonly hour: number } {
  const digest = createHash("sha256").update(`${site.modelUuid}\n${site.application}`).digest();
  return { minute: (digest[0] ?? 0) % 60, hour: (digest[1] ?? 0) % hours };
}

/** The text of the cron file. A tick while the last one still waits for Juju's lock is dropped. */
export function cronFile(schedule: Schedule): string {
  const { unit, timing, jujuExec, lockFile } = schedule;
  const tick = (event: string, lock: string): string =>
    `flock --nonblock ${quote(lock)} ${quote(jujuExec)} ${unit} "${eventCommand(event)}"`;
  const run = tick("run", lockFile);
  let [times, command] = ["", run];
  if (timing.kind === "cron") times = timing.expression;
  else {
    const { minute, hour } = offsetOf(schedule, timing.hours);
    times = `${minute} * * * *`;
    command = `[ $(( $(date +%s) / 3600 % ${timing.hours} )) -eq ${hour} ] && ${run}`;
  }
  return [
    "# Written by the charm github-runner-image-builder; changes are overwritten.",
    "SHELL=/bin/sh",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    // in the middle between two full ticks of an interval
    ...(schedule.checksReleases
      ? [
          `${(offsetOf(schedule, 1).minute + 30) % 60} * * * * root ${escape(tick("check-releases", `${lockFile}.releases`))}`,
        ]
      : []),
    `${times} root ${escape(command)}`,
    "",
  ].join("\n");
}

/** What runs in the unit's hook context to fire one of our events. */
export const eventCommand = (event: string): string => `JUJU_DISPATCH_PATH=${event} ./dispatch`;

/** `text` as one word of a shell. */
function quote(text: string): string {
  return /^[\w/.,:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** cron takes a bare % for a newline, and a backslash away before another one or a %. */
function escape(command: string): string {
  return command.replaceAll(/[\\%]/g, "\\$&");
}

/**
 * When the cron entry of `site` fires. cron counts minutes on the machine's clock, which is `utcOffset` minutes ahead
 * of UTC: half an hour in some zones.
 */
export function ticksOf(site: Site, timing: Timing, utcOffset: number): Ticks {
  if (timing.kind === "cron") return timing;
  const { minute, hour } = offsetOf(site, timing.hours);
  const utcMinute = (((minute - utcOffset) % 60) + 60) % 60;
  return { kind: "interval", intervalHours: timing.hours, minute: utcMinute, hour };
}
