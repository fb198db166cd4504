/** Live progress of a build for a person: one line per finished step, and on a terminal a moving line per image below. */
import { formatDuration } from "../base/errors.ts";
import type { JournalEvent } from "../build/journal.ts";
import { UPLOAD } from "../build/step.ts";

/** Takes a build's events as they come; dispose of it to leave the terminal tidy. */
export interface Reporter extends Disposable {
  readonly report: (event: JournalEvent) => void;
}

interface Running {
  readonly image: string;
  readonly step: string;
  readonly since: number;
  progress: { readonly done: number; readonly total: number } | null;
}

const REDRAW_MS = 250;
/** Characters of a transfer's bar. */
const BAR = 20;

/** Writes to `output`; without a TTY only whole lines, and bytes at most every five seconds per transfer. */
export function createReporter(output: NodeJS.WriteStream): Reporter {
  const began = performance.now();
  const running = new Map<string, Running>();
  const lastProgress = new Map<string, number>();
  /** Of each image the clouds that it goes to, and those that have it. */
  const targets = new Map<string, { readonly all: number; done: number }>();
  let drawn = 0;

  const erase = (): void => {
    if (drawn > 0) output.write(`\r\u001b[K${"\u001b[1A\u001b[K".repeat(drawn - 1)}`);
    drawn = 0;
  };
  const line = (text: string): void => {
    erase();
    output.write(`${clock(performance.now() - began)}  ${text}\n`);
  };
  const draw = (): void => {
    const now = performance.now();
    const lines = [...running.values()].map((one) => {
      const clouds = targets.get(one.image);
      const where = one.step === UPLOAD && clouds !== undefined ? ` ${clouds.done}/${clouds.all} clouds` : "";
      const text = `${clock(now - began)}  ${label(one.image)}${one.step}${where}${bar(one.progress)}`;
      return `${text} ${formatDuration(now - one.since)}`.slice(0, Math.max(10, (output.columns ?? 100) - 1));
    });
    if (lines.length === 0) return;
    erase();
    output.write(lines.join("\n"));
    drawn = lines.length;
  };
  const timer = output.isTTY ? setInterval(draw, REDRAW_MS) : null;

  return {
    report(event) {
      switch (event.event) {
        case "step-started":
          running.set(`${event.image}/${event.step}`, { ...event, since: performance.now(), progress: null });
          if (!output.isTTY) line(`${label(event.image)}${event.step} ...`);
          break;
        case "progress": {
          const key = `${event.image}/${event.step}`;
          const step = running.get(key);
          if (step === undefined) break;
          step.progress = event;
          const now = performance.now();
          if (!output.isTTY && (now - (lastProgress.get(key) ?? 0) > 5000 || event.done >= event.total)) {
            lastProgress.set(key, now);
            line(`${label(event.image)}${event.step} ${megabytes(event.done)}/${megabytes(event.total)} MB`);
          }
          break;
        }
        case "step-ended":
          running.delete(`${event.image}/${event.step}`);
          line(
            event.error === null
              ? `${label(event.image)}${event.step}: ${formatDuration(event.ms)}`
              : `${label(event.image)}FAILED ${event.step}: ${event.error}`,
          );
          break;
        case "targets":
          targets.set(event.image, { all: event.clouds.length, done: 0 });
          break;
        case "artifact": {
          const clouds = targets.get(`${event.spec.base}-${event.spec.arch}`);
          if (clouds !== undefined) clouds.done += 1;
          line(
            `${label(`${event.spec.base}-${event.spec.arch}`)}image ${event.imageId} in ${event.cloud}, verified`,
          );
          break;
        }
        case "leftover":
          line(`left behind: ${event.what}: ${event.error}`);
          break;
        case "looked":
          for (const id of event.missing) line(`missing: published image ${id}`);
          break;
        case "ended":
          line(event.error === null ? `build ${event.outcome}` : `build ${event.outcome}: ${event.error}`);
          break;
        case "started":
        case "found":
        case "published":
        case "created":
        case "image-failed":
        case "reaped":
        case "upload-failed":
          break;
      }
    },
    [Symbol.dispose]() {
      if (timer !== null) clearInterval(timer);
      erase();
    },
  };
}

/** ` [############        ]  62 %`; nothing for what has no end to be seen. */
function bar(progress: Running["progress"]): string {
  if (progress === null || progress.total === 0) return "";
  const part = Math.min(1, progress.done / progress.total);
  const full = Math.round(BAR * part);
  return ` [${"#".repeat(full)}${" ".repeat(BAR - full)}] ${String(Math.floor(100 * part)).padStart(3)} %`;
}

function label(image: string): string {
  return image === "" ? "" : `${image}: `;
}

function clock(ms: number): string {
  const total = Math.floor(ms / 1000);
  return `${String(Math.floor(total / 60)).padStart(2, "0")}:${String(total % 60).padStart(2, "0")}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
