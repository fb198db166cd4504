/** What can be wrong with a text that a person or another charm gave us, and how to show a part of it. */
import { redact } from "../base/redact.ts";

/** Longest name that any OpenStack service takes (Nova's and Keystone's schemas), in characters. */
export const LONGEST_NAME = 255;
/** Longest password that Keystone takes (its `max_password_length`), in characters. */
export const LONGEST_PASSWORD = 4096;
/** Longest address that we take; what is longer is no address. */
export const LONGEST_ADDRESS = 2048;
/** So much of an input is shown in a message at most. */
const LONGEST_QUOTE = 40;

/** Control and format characters, line separators, halves of surrogate pairs, what a decoder puts for broken bytes. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffd\ufffe\uffff]/u;

/** The first character of `text` that cannot be printed, as `U+0085`; null when all can. */
export function unprintable(text: string): string | null {
  const code = UNPRINTABLE.exec(text)?.[0].codePointAt(0);
  return code === undefined ? null : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** What is wrong with an address. */
export type AddressFlaw = "no address" | "credentials" | "port" | "query";

/** All characters of a URL (RFC 3986), and those that its path, query or host may have unescaped. */
const HTTP = /^https?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+$/i;

/**
 * The flaw of `text` as an http or https address (RFC 3986); null for none. `query` is one that the caller
 * refuses: where a path is appended, nothing may follow the path.
 */
export function addressFlaw(text: string): AddressFlaw | null {
  if (text.length > LONGEST_ADDRESS || !HTTP.test(text)) return "no address";
  const authority = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1] ?? "";
  if (authority === "") return "no address";
  if (authority.includes("@")) return "credentials";
  const port = /:(\d*)$/.exec(authority)?.[1];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return "port";
  if (!URL.canParse(text)) return "no address";
  return /[?#]/.test(text) ? "query" : null;
}

/** The beginning of `text` in quotes, fit for a status: printable, of an address the scheme only. */
export function quote(text: string): string {
  // one match of the whole text would be slow for a long one
  const start = redact(text.slice(0, 4 * LONGEST_NAME)).replace(/:\/\/.*$/s, "://...");
  const shown = Array.from(start, (character) => (unprintable(character) === null ? character : "?"));
  const isCut = shown.length > LONGEST_QUOTE || text.length > 4 * LONGEST_NAME;
  return `"${shown.slice(0, LONGEST_QUOTE).join("")}${isCut ? "..." : ""}"`;
}
