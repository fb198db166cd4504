/** Files of the outside world by HTTP, OpenStack's API apart; the only caller of `fetch` under `src/`. */
import { setGlobalProxyFromEnv } from "node:http";
import { seconds } from "./deadline.ts";
import { AppError } from "./errors.ts";

/** A file behind more redirects than this is not going to come. */
const REDIRECTS = 5;
/** A server that says nothing for this long has died. */
const SILENCE_MS = seconds(60);

/** No reply came, or one that must not be believed; the message begins with the option that the address is from. */
export class HttpError extends AppError {
  /** Whether asking again may help. */
  readonly isTransient: boolean;

  constructor(message: string, isTransient: boolean, options?: ErrorOptions) {
    super(message, options);
    this.isTransient = isTransient;
  }
}

/** Where a file is, and the option that says so. */
export interface Address {
  readonly option: string;
  readonly url: string;
}

/** A reply whose body is still to come; dispose of it, which ends what was not read. */
export interface HttpReply extends AsyncDisposable {
  readonly status: number;
  /** The status is 2xx. */
  readonly isOk: boolean;
  readonly header: (name: string) => string | null;
  /** The body as it comes, to be read once. Throws {@link HttpError} when it breaks off or is silent, or the signal's reason. */
  readonly chunks: () => AsyncGenerator<Uint8Array>;
}

/** What {@link ask} sends; only what stands here does, besides what HTTP itself needs. */
export interface Question {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Where a redirect led; absent: the address itself, which is also what messages name. */
  readonly at?: URL;
  /** Another limit for a silent server, in milliseconds. */
  readonly silenceMs?: number;
}

/**
 * One request, whose redirects are the caller's. Throws {@link HttpError} when no reply comes, or the signal's reason.
 * The cause may quote the address.
 */
export async function ask(
  { option, url }: Address,
  { silenceMs = SILENCE_MS, at = new URL(url), ...question }: Question,
  signal: AbortSignal,
): Promise<HttpReply> {
  const silent = new AbortController();
  const limit = AbortSignal.any([signal, silent.signal]);
  const heard = async <T>(work: () => Promise<T>, otherwise: string): Promise<T> => {
    const tooLong = (): void =>
      silent.abort(new HttpError(`${option}: ${url} is silent for ${silenceMs / 1000} s`, true));
    const timer = setTimeout(tooLong, silenceMs);
    try {
      return await work();
    } catch (error) {
      limit.throwIfAborted();
      throw new HttpError(`${option}: ${otherwise}`, true, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  };
  const init = { ...question, redirect: "manual", signal: limit } as const;
  const response = await heard(async () => await fetch(at, init), `cannot reach ${url}`);
  const reader = response.body?.getReader();
  return {
    status: response.status,
    isOk: response.ok,
    header: (name) => response.headers.get(name),
    async *chunks() {
      if (reader === undefined) return;
      for (;;) {
        const { done, value } = await heard(
          async () => await reader.read(),
          `the download of ${url} broke off`,
        );
        if (done) return;
        yield value;
      }
    },
    async [Symbol.asyncDispose]() {
      // what is wrong with a body that nobody wants is nobody's trouble
      await reader?.cancel().catch(() => {});
    },
  };
}

/**
 * The reply to a GET behind up to five redirects, whatever its status, from byte `from` on where the server knows
 * ranges. A redirect never leads from https to http, nor to any other scheme, and takes nothing along but the range.
 * Throws as {@link ask} does.
 */
export async function get(address: Address, signal: AbortSignal, from = 0): Promise<HttpReply> {
  // the file's own bytes, not packed ones: with a range fetch asks for that itself
  const headers: Record<string, string> =
    from === 0 ? { "accept-encoding": "identity" } : { range: `bytes=${from}-` };
  let here = new URL(address.url);
  for (let hops = 0; hops <= REDIRECTS; hops += 1) {
    const reply = await ask(address, { headers, at: here }, signal);
    const location = reply.header("location");
    if (reply.status < 300 || reply.status > 399 || location === null) return reply;
    await reply[Symbol.asyncDispose]();
    here = next(address, here, location);
  }
  throw refused(address, `redirects more than ${REDIRECTS} times`);
}

/** The body of `reply`, which has at most `limit` bytes; of a longer one no more is read. Throws as its chunks do. */
export async function bodyOf(reply: HttpReply, address: Address, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of reply.chunks()) {
    size += chunk.byteLength;
    if (size > limit) throw refused(address, `is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Lets this process ask through the proxies of `variables`, as environments name them, from now on. */
export function useProxies(variables: Readonly<Record<string, string>>): void {
  setGlobalProxyFromEnv(variables);
}

function next(address: Address, here: URL, location: string): URL {
  if (!URL.canParse(location, here.href)) throw refused(address, "redirects to something that is no address");
  const there = new URL(location, here);
  const isWeb = there.protocol === "https:" || there.protocol === "http:";
  if (!isWeb || (here.protocol === "https:" && there.protocol === "http:")) {
    throw refused(address, `redirects from ${here.protocol} to ${there.protocol}, which is not followed`);
  }
  if (there.username !== "" || there.password !== "") {
    throw refused(address, "redirects to an address with a name or password, which is not followed");
  }
  return there;
}

function refused({ option, url }: Address, what: string): HttpError {
  return new HttpError(`${option}: ${url} ${what}`, false);
}
