/** Users of the lab's Keystone that one test has for itself, made by its administrator (Identity API v3). */
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import type { CloudAuth } from "../../src/openstack/index.ts";
import { fakeCloudAuth, type LabProject, uniqueName } from "./openstack.ts";

/** A user with a role in one project; disposing deletes it. */
export interface Account extends AsyncDisposable {
  /** With the password that it has now. */
  readonly auth: () => CloudAuth;
  /** Gives it another password, which ends all of its tokens. */
  readonly rotate: () => Promise<void>;
}

const Found = v.object({ id: v.string() });

/** An account of its own in a project of the fake-driver cloud. */
export async function createAccount(project: LabProject): Promise<Account> {
  const known = await fakeCloudAuth(project);
  const admin = await signInAsAdmin(known.authUrl);
  const idOf = async (what: "projects" | "roles", name: string): Promise<string> => {
    const reply = v.parse(v.record(v.string(), v.unknown()), await admin("GET", `/${what}?name=${name}`));
    return v.parse(v.tuple([Found]), reply[what])[0].id;
  };
  const username = uniqueName("user");
  let password = randomBytes(12).toString("hex");
  const user = { name: username, password, domain_id: "default", enabled: true };
  const made = v.parse(v.object({ user: Found }), await admin("POST", "/users", { user }));
  const { id } = made.user;
  const roles = `/projects/${await idOf("projects", project)}/users/${id}/roles`;
  await admin("PUT", `${roles}/${await idOf("roles", "member")}`);
  return {
    auth: () => ({ ...known, username, password }),
    async rotate() {
      const next = randomBytes(12).toString("hex");
      await admin("PATCH", `/users/${id}`, { user: { password: next } });
      password = next;
    },
    async [Symbol.asyncDispose]() {
      await admin("DELETE", `/users/${id}`);
    },
  };
}

type Call = (method: string, path: string, body?: object) => Promise<unknown>;

async function signInAsAdmin(authUrl: string): Promise<Call> {
  const user = { name: "admin", password: "adminpass", domain: { id: "default" } };
  const scope = { project: { name: "admin", domain: { id: "default" } } };
  const identity = { methods: ["password"], password: { user } };
  const headers = { "content-type": "application/json" };
  const signIn = await fetch(`${authUrl}/auth/tokens`, {
    method: "POST",
    headers,
    body: JSON.stringify({ auth: { identity, scope } }),
  });
  const token = signIn.headers.get("x-subject-token") ?? "";
  return async (method, path, body) => {
    const reply = await fetch(`${authUrl}${path}`, {
      method,
      headers: { ...headers, "x-auth-token": token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`cannot ${method} ${path}: HTTP ${reply.status}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  };
}
