/** What the modules of this folder share; callers see {@link Cloud} and {@link CallOptions}. */
import type { Limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";

/** How long a caller is willing to wait: every call ends at once with the signal's reason when it fires. */
export interface CallOptions {
  readonly signal: AbortSignal;
}

/** The services this program talks to. */
export type ServiceName = "compute" | "image" | "network";

/** One HTTP request under way, as the `request` library gives it: write the body to it, read the reply from it. */
export type HttpRequest = NodeJS.ReadWriteStream & {
  /** Ends the exchange and its socket; emits nothing afterwards. */
  abort(): void;
};

/** One request to a service; `url` is absolute and on the service's own host. */
export interface OutgoingCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** An object travels as JSON, a string as it is; without it the caller streams or sends nothing. */
  readonly body?: object | string;
  /** The socket may be silent this long, in milliseconds; `null` for no limit. */
  readonly idleMs: number | null;
  /** Whether it can be sent again: what cannot does not go over a kept connection that may have died. */
  readonly repeatable: boolean;
}

/** A service of one cloud, signed in. Give it to the functions of this folder; its members are for them alone. */
export interface Service {
  readonly name: ServiceName;
  /** Address of the API with its version, without a slash at the end. */
  readonly url: string;
  readonly log: Logger;
  readonly limits: Limits;
  /**
   * Makes sure that there is a token that lasts (where the cloud's tokens do) at least `atLeastMs` more;
   * gives a number that stands for it.
   */
  readonly authorize: (signal: AbortSignal, atLeastMs?: number) => Promise<number>;
  /** Drops the token that `authorize` gave as this number, unless there is a newer one already. */
  readonly dropToken: (generation: number) => void;
  /** Starts one request with the present token; call it right after `authorize`. */
  readonly open: (call: OutgoingCall) => HttpRequest;
}

/** A cloud that {@link openCloud} signed in to. All its services share one token. */
export interface Cloud {
  /** The name it was opened under. */
  readonly name: string;
  readonly projectId: string;
  readonly userId: string;
  /** Normalised address of Keystone, without /v3. */
  readonly authUrl: string;
  readonly compute: Service;
  readonly image: Service;
  readonly network: Service;
  /** HTTP requests sent so far, sign-ins and retries included. */
  readonly callCount: () => number;
  /** Ends the kept-alive sockets; the cloud is not to be used afterwards. */
  close(): void;
}
