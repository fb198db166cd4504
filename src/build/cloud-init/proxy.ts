/** How the model's proxy reaches the guest and the finished image; credentials take a way of their own. */
import { isIPv4 } from "node:net";
import { isSecret } from "../proxies.ts";
import type { Proxy, Recipe } from "../types.ts";
import { shellQuote } from "./shell-quote.ts";

/** Destinations that no runner reaches through a proxy: RFC 1918, loopback and link-local (with the metadata service). */
const PRIVATE = ["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"];

/** `proxy` as environment variables; those that are not set are left out. */
function variablesOf(proxy: Proxy): Readonly<Record<string, string>> {
  const all = { http_proxy: proxy.http, https_proxy: proxy.https, no_proxy: proxy.noProxy };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

/** The proxy's environment variables that may be in the user-data; only `no_proxy` when there are credentials. */
export function publicVariables({ proxy }: Recipe): Readonly<Record<string, string>> {
  return variablesOf(isSecret(proxy) ? { ...proxy, http: "", https: "" } : proxy);
}

/** The proxy's environment variables with all that is in them: for what goes to the guest's memory over SSH. */
export function proxyVariables({ proxy }: Recipe): Readonly<Record<string, string>> {
  return variablesOf(proxy);
}

/**
 * What the guest waits for before its first section, as shell: the proxy's addresses when they hold credentials.
 * Null when the user-data says it all. For `/run/image-builder/proxy.env`, readable by root alone.
 */
export function guestSecretsOf({ proxy }: Recipe): string | null {
  if (!isSecret(proxy)) return null;
  return Object.entries(variablesOf({ ...proxy, noProxy: "" }))
    .map(([name, value]) => `export ${name}=${shellQuote(value)}\n`)
    .join("");
}

/**
 * The proxy that the image's aproxy forwards to, `host:port`; null when there is none, and when it needs
 * credentials: those would be in every runner, readable by every job.
 */
export function aproxyUpstream({ proxy, snaps }: Recipe): string | null {
  if (isSecret(proxy) || !snaps.some((instruction) => /^aproxy(?:[=:]|$)/.test(instruction))) return null;
  const [, host, port = "80"] =
    /^(?:http:\/\/)?([^/:]+)(?::(\d+))?\/?$/i.exec(proxy.http || proxy.https) ?? [];
  return host === undefined ? null : `${host}:${port}`;
}

/**
 * IPv4 networks whose ports 80 and 443 aproxy leaves alone: private ones, those in `no_proxy`, and the proxy itself,
 * or aproxy would forward to itself.
 */
export function directNetworks(recipe: Recipe): readonly string[] {
  const upstream = aproxyUpstream(recipe)?.replace(/:\d+$/, "") ?? "";
  const named = [...recipe.proxy.noProxy.split(/[\s,]+/), upstream].filter((entry) => {
    const [address = "", length = "32", ...rest] = entry.split("/");
    return rest.length === 0 && isIPv4(address) && /^([12]?\d|3[0-2])$/.test(length);
  });
  return [...new Set([...PRIVATE, ...named])];
}
