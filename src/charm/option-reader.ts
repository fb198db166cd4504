/** Reading options one by one: each gives a usable value, or is refused with one sentence. */
import type { RawConfig } from "../juju/index.ts";
import { splitList } from "./options.ts";
import { addressFlaw, LONGEST_NAME, quote, unprintable } from "./text.ts";

/** Longest list or set of variables, in characters; user-data has room for a few such. */
const LONGEST_LIST = 10_000;
/** Longest single item: the limit of npm, of which the others' are below. */
const LONGEST_ITEM = 214;

/** What the items of a list must be. */
export interface ItemForm {
  readonly pattern: RegExp;
  /** Ends the sentence `"x" is not ...`. */
  readonly is: string;
  /** The part of an item that may be there only once. */
  readonly key: (item: string) => string;
}

/** Reads options; what it refuses reads as empty (numbers as the least) and is in `problems`. */
export interface OptionReader {
  /** By option, one sentence each, in the order of reading. */
  readonly problems: ReadonlyMap<string, string>;
  /** Refuses `option`: `fix` says what to set it to. The first refusal of an option stays. */
  readonly refuse: (option: string, fix: string) => void;
  /** Whether `option` was refused. */
  readonly isRefused: (option: string) => boolean;
  /** Text without blanks at its ends; empty when unset. */
  readonly text: (option: string) => string;
  /** Text of one printable line that OpenStack would take for a name. */
  readonly name: (option: string) => string;
  readonly whole: (option: string, least: number, most: number) => number;
  readonly flag: (option: string) => boolean;
  /** An http or https address without credentials; its scheme in lower case. */
  readonly address: (option: string, allow: { readonly empty: boolean; readonly query: boolean }) => string;
  /** Items of a comma-separated list, none twice. */
  readonly list: (option: string, form: ItemForm) => readonly string[];
  /** Refuses `option` when `value` has more than `most` characters or, `lines` aside, one that is not printable. */
  readonly checkText: (option: string, value: string, most: number) => boolean;
}

/** A reader of `raw`. */
export function openOptionReader(raw: RawConfig): OptionReader {
  const problems = new Map<string, string>();
  const refuse = (option: string, fix: string): void => {
    if (!problems.has(option)) problems.set(option, `${option}: ${fix}`);
  };
  const isRefused = (option: string): boolean => problems.has(option);

  const text = (option: string): string => {
    const value = raw[option] ?? "";
    if (typeof value === "string") return value.trim();
    refuse(option, `set it to a text, not to ${typeof value === "number" ? "a number" : "true or false"}`);
    return "";
  };
  const checkText = (option: string, value: string, most: number): boolean => {
    const bad = unprintable(value);
    if (value.length > most)
      refuse(option, `set it to at most ${most} characters; it has ${value.length} now`);
    else if (bad !== null) refuse(option, `take out the character ${bad}, which cannot be printed`);
    return !isRefused(option);
  };
  const name = (option: string): string => {
    const value = text(option);
    return checkText(option, value, LONGEST_NAME) ? value : "";
  };
  const whole = (option: string, least: number, most: number): number => {
    const value = raw[option];
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    refuse(option, `set it to a whole number from ${least} to ${most}`);
    return least;
  };
  const flag = (option: string): boolean => {
    const value = raw[option];
    if (typeof value !== "boolean") refuse(option, "set it to true or false");
    return value === true;
  };
  const address: OptionReader["address"] = (option, allow) => {
    const value = text(option);
    if (isRefused(option) || (value === "" && allow.empty)) return "";
    const flaw = addressFlaw(value);
    if (flaw === null || (flaw === "query" && allow.query))
      return value.replace(/^[^:]*/, (scheme) => scheme.toLowerCase());
    refuse(option, ADDRESS_FIXES[flaw]);
    return "";
  };
  const list: OptionReader["list"] = (option, { pattern, is, key }) => {
    const value = text(option);
    if (value.length > LONGEST_LIST) {
      refuse(option, `set it to at most ${LONGEST_LIST} characters; it has ${value.length} now`);
      return [];
    }
    const items = [...new Set(splitList(value))];
    const bad = items.filter((item) => item.length > LONGEST_ITEM || !pattern.test(item));
    const [first] = bad;
    if (first !== undefined) {
      const others = bad.length === 1 ? "" : ` (nor are ${bad.length - 1} more)`;
      if (checkText(option, first, LONGEST_LIST)) refuse(option, `${quote(first)} is not ${is}${others}`);
      return [];
    }
    const twice = items.find((item, index) => items.findIndex((other) => key(other) === key(item)) < index);
    if (twice !== undefined) refuse(option, `name ${quote(key(twice))} once only`);
    return items;
  };
  return { problems, refuse, isRefused, text, name, whole, flag, address, list, checkText };
}

const ADDRESS_FIXES = {
  "no address": "set it to an http or https address",
  credentials: "take the user name and password out of the address",
  port: "set it to an address with a port from 1 to 65535",
  query: "take ? and # and what follows them out of the address",
} as const;
