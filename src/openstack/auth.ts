/** Whose account on which cloud. */
import { createHash } from "node:crypto";
import { ConfigError } from "../base/errors.ts";

/** Credentials of one project on one cloud (Keystone v3 password sign-in). */
export interface CloudAuth {
  /** Keystone's address, with or without /v3. */
  readonly authUrl: string;
  readonly projectName: string;
  readonly projectDomainName: string;
  readonly username: string;
  readonly userDomainName: string;
  readonly password: string;
  /** `null`: the only region that the catalogue has. */
  readonly region: string | null;
  /** PEM file of the certificate authorities to trust instead of the system's; `null` for the system's. */
  readonly caFile: string | null;
}

/**
 * Keystone's address in one spelling: host in lower case, without default port, slash at the end, /v3, query.
 * Throws {@link ConfigError} when it is no http or https URL.
 */
export function normaliseAuthUrl(authUrl: string): string {
  if (!URL.canParse(authUrl) || !/^https?:$/.test(new URL(authUrl).protocol)) {
    throw new ConfigError([`the auth URL "${authUrl}" is not an http or https address`]);
  }
  const url = new URL(authUrl);
  const path = url.pathname.replace(/\/+$/, "").replace(/\/v3$/, "").replace(/\/+$/, "");
  return `${url.protocol}//${url.host}${path}`;
}

const LONGEST_PROJECT_PART = 40;

/**
 * A short name for the account that is different for different accounts: `<project>-<8 hex>` of [a-z0-9-].
 * The hash covers the normalised auth URL, both domains, project and user; not the password, which rotates,
 * nor the region. Throws {@link ConfigError} for an auth URL that is none.
 */
export function cloudKey(auth: CloudAuth): string {
  const account = [
    normaliseAuthUrl(auth.authUrl),
    auth.projectDomainName,
    auth.projectName,
    auth.userDomainName,
    auth.username,
  ];
  const hash = createHash("sha256").update(JSON.stringify(account)).digest("hex").slice(0, 8);
  const project = auth.projectName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, LONGEST_PROJECT_PART)
    .replace(/^-+|-+$/g, "");
  return project === "" ? `project-${hash}` : `${project}-${hash}`;
}
