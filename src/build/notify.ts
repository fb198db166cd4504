/** Telling a webhook how builds go. Its address is a secret: it stands in no argument, log or error. */
import { seconds, withDeadline } from "../base/deadline.ts";
import { AppError } from "../base/errors.ts";
import { ask, type HttpReply } from "../base/http.ts";
import type { Logger } from "../base/log.ts";
import { retry } from "../base/retry.ts";
import type { Build } from "./history.ts";
import { specName, type BuildRequest } from "./types.ts";

const ALL_LIMIT_MS = seconds(45);
const TRY_LIMIT_MS = seconds(10);
const ATTEMPTS = 3;

/** What a webhook gets, as JSON; `text` alone serves chat services such as Mattermost and Slack. */
export interface Message {
  readonly event: "failed" | "recovered" | "published";
  readonly text: string;
  readonly application: string;
  readonly unit: string;
  /** UUID of the Juju model. */
  readonly model: string;
  readonly build: string;
  readonly images: readonly string[];
  /** Clouds that the images were brought to. */
  readonly clouds: readonly string[];
  readonly error: string | null;
  /** The next thing to try. */
  readonly advice: string | null;
  readonly at: string;
}

/** Whether anybody is told of a build of that kind: of those that bring images. */
export function isToldOf({ kind }: Pick<BuildRequest, "kind">): boolean {
  return kind === "build" || kind === "copy";
}

/** What is told when a build begins: that the one before was cut short, which could tell nobody. */
export function messagesAtStart(
  request: BuildRequest,
  before: readonly Build[],
  now: Date,
): readonly Message[] {
  const last = before.at(-1);
  if (last?.state !== "interrupted") return [];
  const error = `build ${last.id} was interrupted`;
  return [messageOf("failed", request, { error, advice: `build ${request.id} goes on` }, [], now)];
}

/** What is told when the build of `request` has ended: failures, the first success after one, and publications. */
export function messagesAtEnd(
  request: BuildRequest,
  before: readonly Build[],
  build: Build,
  now: Date,
): readonly Message[] {
  if (!isToldOf(request) || build.state === "cancelled") return [];
  const last = before.findLast(({ state }) => ["done", "failed", "interrupted"].includes(state))?.state;
  const clouds = [...new Set(build.artifacts.map(({ cloud }) => cloud))];
  const messages: Message[] = [];
  if (build.state === "failed") {
    const { advice } = build;
    messages.push(messageOf("failed", request, { error: build.errors.join("; "), advice }, clouds, now));
  } else if (last === "failed" || last === "interrupted") {
    messages.push(messageOf("recovered", request, NOTHING_WRONG, clouds, now));
  }
  if (build.published.length > 0) messages.push(messageOf("published", request, NOTHING_WRONG, clouds, now));
  return messages;
}

const NOTHING_WRONG = { error: null, advice: null } as const;

function messageOf(
  event: Message["event"],
  { owner, id, images }: BuildRequest,
  { error, advice }: Pick<Message, "error" | "advice">,
  clouds: readonly string[],
  now: Date,
): Message {
  const names = images.map(specName);
  const what = `build ${id} of ${names.join(", ")}`;
  const texts = {
    failed: `${what} failed: ${error}${advice === null ? "" : `; ${advice}`}`,
    recovered: `${what} is good again`,
    published: `${what} is published to ${clouds.join(", ")}`,
  };
  const { application, unit, modelUuid: model } = owner;
  const text = `${unit}: ${texts[event]}`;
  return {
    event,
    text,
    application,
    unit,
    model,
    build: id,
    images: names,
    clouds,
    error,
    advice,
    at: now.toISOString(),
  };
}

/**
 * Posts `messages` to `url`, each up to three times; never throws: a webhook that fails is logged, by its host alone.
 * Redirects are not followed, because the address holds the right to post.
 */
export async function notify(url: string, messages: readonly Message[], log: Logger): Promise<void> {
  if (messages.length === 0) return;
  const { host } = new URL(url);
  try {
    const open = new AbortController().signal;
    await withDeadline(open, ALL_LIMIT_MS, "telling the webhook", async (signal) => {
      for (const message of messages) {
        const policy = { attempts: ATTEMPTS, firstPauseMs: 1000, longestPauseMs: 5000, when: mayPass };
        await retry(signal, policy, async () => await post(url, message, signal));
        log.info({ event: message.event, host }, "told the webhook");
      }
    });
  } catch (error) {
    // without causes: what an unanswered question throws quotes the address
    const reason = error instanceof AppError ? error.message : "no reply";
    log.warn({ host, reason }, "cannot tell the webhook");
  }
}

class WebhookError extends AppError {
  readonly isTransient: boolean;

  constructor(message: string, isTransient: boolean) {
    super(message);
    this.isTransient = isTransient;
  }
}

const mayPass = (error: unknown): boolean => error instanceof WebhookError && error.isTransient;

async function post(url: string, message: Message, signal: AbortSignal): Promise<void> {
  let reply: HttpReply;
  try {
    const headers = { "content-type": "application/json" };
    const question = { method: "POST", headers, body: JSON.stringify(message) } as const;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TRY_LIMIT_MS)]);
    reply = await ask({ option: "notify-url", url }, question, limit);
  } catch {
    signal.throwIfAborted();
    throw new WebhookError("no reply", true);
  }
  await reply[Symbol.asyncDispose]();
  if (reply.isOk) return;
  const { status } = reply;
  throw new WebhookError(
    status >= 300 && status < 400 ? `it redirects (HTTP ${status}), which is not followed` : `HTTP ${status}`,
    status >= 500 || status === 429,
  );
}
