/** Live progress of a build for a person: one line per finished step, and on a terminal a line that moves. */
import { formatDuration } from "../base/errors.ts";
import type { JournalEvent } from "../build/journal.ts";

/** Takes a build's events as they come; dispose of it to leave the terminal tidy. */
export interface Reporter extends Disposable {
  readonly report: (event: JournalEvent) => void;
}

interface Running {
  readonly image: string;
  readonly step: string;
  readonly since: number;
  progress: string;
}

const REDRAW_MS = 250;

/** Writes to `output`; without a TTY only whole lines, and bytes at most every five seconds per transfer. */
export function createReporter(output: NodeJS.WriteStream): Reporter {
  const began = Date.now();
  const running = new Map<string, Running>();
  const lastProgress = new Map<string, number>();
  let drawn = false;

  const erase = (): void => {
    if (drawn) output.write("\r\u001b[K");
    drawn = false;
  };
  const line = (text: string): void => {
    erase();
    output.write(`${clock(Date.now() - began)}  ${text}\n`);
  };
  const draw = (): void => {
    const now = Date.now();
    const parts = [...running.values()].map(
      ({ image, step, since, progress }) =>
        `${label(image)}${step} ${formatDuration(now - since)}${progress}`,
    );
    if (parts.length === 0) return;
    output.write(
      `\r\u001b[K${clock(now - began)}  ${parts.join(" | ")}`.slice(0, (output.columns ?? 100) + 4),
    );
    drawn = true;
  };
  const timer = output.isTTY ? setInterval(draw, REDRAW_MS) : null;

  return {
    report(event) {
      switch (event.event) {
        case "step-started":
          running.set(`${event.image}/${event.step}`, { ...event, since: Date.now(), progress: "" });
          if (!output.isTTY) line(`${label(event.image)}${event.step} ...`);
          break;
        case "progress": {
          const key = `${event.image}/${event.step}`;
          const step = running.get(key);
          if (step === undefined) break;
          step.progress = ` ${megabytes(event.done)}/${megabytes(event.total)} MB`;
          const now = Date.now();
          if (!output.isTTY && (now - (lastProgress.get(key) ?? 0) > 5000 || event.done >= event.total)) {
            lastProgress.set(key, now);
            line(`${label(event.image)}${event.step}${step.progress}`);
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
        case "artifact":
          line(
            `${label(`${event.spec.base}-${event.spec.arch}`)}image ${event.imageId} in ${event.cloud}, verified`,
          );
          break;
        case "leftover":
          line(`left behind: ${event.what}: ${event.error}`);
          break;
        case "ended":
          line(event.error === null ? `build ${event.outcome}` : `build ${event.outcome}: ${event.error}`);
          break;
        case "started":
        case "found":
        case "published":
        case "targets":
        case "created":
        case "image-failed":
          break;
      }
    },
    [Symbol.dispose]() {
      if (timer !== null) clearInterval(timer);
      erase();
    },
  };
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
