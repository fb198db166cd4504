/**
 * A proxy between a client and a real OpenStack that spoils calls by rule. A client that signs in through it is
 * given its address for every service, so all of its calls come by. Rules and journal can be had over HTTP below
 * `/_faults`.
 */
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer, text as readText } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { PassThrough, type Transform } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe } from "../../src/base/errors.ts";
import { corrupter, dripper, truncater } from "./bodies.ts";
import { rewriteCatalogue } from "./catalogue.ts";
import {
  type Conditions,
  NORMAL,
  parseConditions,
  shiftDate,
  shiftTimes,
  shortenLife,
} from "./conditions.ts";
import { afterSending, answer, withoutHop } from "./messages.ts";
import {
  type Fault,
  faultChooser,
  type FaultRule,
  type FaultyService,
  parseRules,
  SERVICES,
} from "./rules.ts";
import { issuedTokens } from "./tokens.ts";

/** A call that came by. */
export interface ProxiedCall {
  readonly at: string;
  readonly service: FaultyService;
  readonly method: string;
  /** Without query. */
  readonly path: string;
  /** Of the real service; null when it was not asked or gave no answer. */
  readonly status: number | null;
  readonly fault: Fault | null;
}

/** A running proxy; dispose of it. */
export interface FaultProxy extends AsyncDisposable {
  /** What a client signs in at: Keystone's address through the proxy. */
  readonly authUrl: string;
  /** New rules, in place of those before; calls are counted anew. */
  readonly setRules: (rules: readonly FaultRule[]) => void;
  /** What is so from now on, beside the rules. */
  readonly setConditions: (conditions: Conditions) => void;
  /** Revokes every token that came by, at Keystone itself; gives how many were still good. */
  readonly revokeTokens: () => Promise<number>;
  /** Refuses every token that came by from now on; services that are at work with them go on. */
  readonly refuseTokens: () => void;
  /** All calls since the last {@link FaultProxy.forget}, in the order of their ends. */
  readonly calls: () => readonly ProxiedCall[];
  /** How many calls got a fault since then, those included whose end is still to come. */
  readonly struck: () => number;
  readonly forget: () => void;
}

/** What a token that is over gets. */
const REFUSED = { kind: "status", status: 401 } as const;

/** Starts a proxy before the cloud at `authUrl` (`http://host:port/v3`), on an address of this machine. */
export async function startFaultProxy(
  authUrl: string,
  options: { readonly host?: string; readonly port?: number; readonly rules?: readonly FaultRule[] } = {},
): Promise<FaultProxy> {
  const origins = new Map<FaultyService, string>([["identity", new URL(authUrl).origin]]);
  const closing = new AbortController();
  const tokens = issuedTokens(new URL(authUrl).origin);
  let conditions = NORMAL;
  let choose = faultChooser(options.rules ?? []);
  let rules = options.rules ?? [];
  let calls: ProxiedCall[] = [];
  let struck = 0;
  const setRules = (next: readonly FaultRule[]): void => {
    rules = next;
    choose = faultChooser(next);
  };

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      // the client went away, or the service did: either sees a connection that ends
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end(`${describe(error)}\n`);
    });
  });
  server.requestTimeout = 0;
  const host = options.host ?? "127.0.0.1";
  server.listen(options.port ?? 0, host);
  await new Promise<void>((resolve, reject) => server.once("listening", resolve).once("error", reject));
  const self = `http://${host}:${(server.address() as AddressInfo).port}`;

  const isOver = ({ headers }: IncomingMessage): boolean => tokens.isOver(String(headers["x-auth-token"]));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", self);
    const [, first = "", ...rest] = url.pathname.split("/");
    if (first === "_faults") return await control(request, response, rest.join("/"));
    const service = SERVICES.find((each) => each === first);
    const origin = service === undefined ? undefined : origins.get(service);
    if (service === undefined || origin === undefined) {
      response.writeHead(404).end("no service of this name; sign in through the proxy first\n");
      return;
    }
    const path = `/${rest.join("/")}`;
    const seen = { service, method: request.method ?? "GET", path };
    const fault = isOver(request) ? REFUSED : choose(seen);
    if (fault !== null) struck += 1;
    const end = (status: number | null): void =>
      void calls.push({ at: new Date().toISOString(), ...seen, status, fault });
    const target = new URL(`${path}${url.search}`, origin);
    await handle({ request, response, target, fault, end, isSignIn: service === "identity" });
  }

  async function handle(call: Passing): Promise<void> {
    const { request, response, fault, end } = call;
    if (fault?.kind === "status" || fault?.kind === "html") {
      end(null);
      await answer(request, response, fault);
      return;
    }
    if (fault?.kind === "close" && fault.when === "before") {
      end(null);
      request.socket.destroy();
      return;
    }
    if (fault?.kind === "hang" && fault.when === "before") {
      end(null);
      request.resume();
      return;
    }
    if (fault?.kind === "delay") {
      await sleep(fault.ms, undefined, { signal: closing.signal });
      if (isOver(request)) {
        end(null);
        await answer(request, response, REFUSED);
        return;
      }
    }
    await forward(call);
  }

  async function forward({ request, response, target, fault, end, isSignIn }: Passing): Promise<void> {
    const headers = withoutHop(request.headers);
    const onward = httpRequest(target, { method: request.method ?? "GET", headers, agent: false });
    const abort = (): void => void onward.destroy();
    closing.signal.addEventListener("abort", abort, { once: true });
    const replied = new Promise<IncomingMessage>((resolve, reject) =>
      onward.once("response", resolve).once("error", reject),
    );
    replied.catch(() => {}); // awaited below, after the body
    try {
      const cut = (): void => {
        afterSending(onward, () => {
          onward.destroy();
          request.socket.destroy();
        });
      };
      const sent = pipeline(request, spoilt(fault, "request", request, cut), onward);
      // a service may answer before it has read everything: the answer decides then
      sent.catch(() => {});
      const reply = await replied;
      end(reply.statusCode ?? null);
      await giveBack(reply, response, fault, isSignIn);
    } catch (error) {
      end(null);
      throw error;
    } finally {
      closing.signal.removeEventListener("abort", abort);
    }
  }

  async function giveBack(
    reply: IncomingMessage,
    response: ServerResponse,
    fault: Fault | null,
    isSignIn: boolean,
  ): Promise<void> {
    if (fault?.kind === "close" || fault?.kind === "hang") {
      await buffer(reply);
      if (fault.kind === "close") response.socket?.destroy();
      return;
    }
    const status = reply.statusCode ?? 502;
    const own = shiftDate(withoutHop(reply.headers), conditions.clockAheadMs);
    const cut = (): void => void response.socket?.destroy();
    const isText = !String(own["content-type"]).includes("octet-stream");
    const isEdited = fault?.kind === "replace" || conditions.clockAheadMs !== 0;
    const isIssue = isSignIn && status === 201 && own["x-subject-token"] !== undefined;
    if (!isIssue && !(isText && isEdited)) {
      response.writeHead(status, own);
      await pipeline(reply, spoilt(fault, "reply", reply, cut), response);
      return;
    }
    let text = await readText(reply);
    if (isIssue) {
      const rewritten = rewriteCatalogue(text, self);
      for (const [name, origin] of rewritten?.origins ?? [])
        if (name !== "identity") origins.set(name, origin);
      text = shortenLife(rewritten?.text ?? text, conditions.tokenMs);
      tokens.note(String(own["x-subject-token"]), conditions.tokenMs);
    }
    if (fault?.kind === "replace") text = text.replace(new RegExp(fault.pattern, "gu"), fault.with);
    const body = Buffer.from(shiftTimes(text, conditions.clockAheadMs));
    const headers = { ...own, "content-length": String(body.length) };
    response.writeHead(status, headers);
    const half = spoilt(fault, "reply", { headers }, cut);
    half.end(body);
    await pipeline(half, response);
  }

  function spoilt(
    fault: Fault | null,
    of: "request" | "reply",
    { headers }: Pick<IncomingMessage, "headers">,
    cut: () => void,
  ): Transform {
    const length = headers["content-length"];
    const isText = !String(headers["content-type"]).includes("octet-stream");
    if (fault?.kind === "truncate" && fault.of === of)
      return truncater(length === undefined ? null : Number(length), cut);
    if (fault?.kind === "corrupt" && fault.of === of) return corrupter(isText);
    if (fault?.kind === "drip" && of === "reply") return dripper(fault.bytesPerSecond, closing.signal);
    return new PassThrough();
  }

  async function control(request: IncomingMessage, response: ServerResponse, what: string): Promise<void> {
    const json = (value: unknown): void =>
      void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    const asked = `${request.method} ${what}`;
    if (asked === "PUT rules") {
      try {
        setRules(parseRules(await readText(request)));
      } catch (error) {
        response.writeHead(400).end(`${describe(error)}\n`);
        return;
      }
      json(rules);
    } else if (asked === "GET rules") json(rules);
    else if (asked === "PUT conditions") {
      try {
        conditions = parseConditions(await readText(request));
      } catch (error) {
        response.writeHead(400).end(`${describe(error)}\n`);
        return;
      }
      json(conditions);
    } else if (asked === "GET conditions") json(conditions);
    else if (asked === "POST revoke") json({ revoked: await tokens.revoke() });
    else if (asked === "GET calls") json(calls);
    else if (asked === "DELETE calls") {
      calls = [];
      json(calls);
    } else
      response
        .writeHead(404)
        .end("there are GET and PUT rules and conditions, GET and DELETE calls, POST revoke\n");
  }

  return {
    authUrl: `${self}/identity${new URL(authUrl).pathname}`,
    setRules,
    setConditions(next) {
      conditions = next;
    },
    revokeTokens: tokens.revoke,
    refuseTokens: tokens.refuse,
    calls: () => calls,
    struck: () => struck,
    forget() {
      calls = [];
      struck = 0;
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new Error("the proxy ends"));
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface Passing {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: URL;
  readonly fault: Fault | null;
  readonly end: (status: number | null) => void;
  readonly isSignIn: boolean;
}
