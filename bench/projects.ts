/** Projects of the lab's fake-driver cloud that exist for one measurement. */
import { randomBytes } from "node:crypto";
import type { CloudAuth } from "../src/openstack/index.ts";

const KEYSTONE = "http://127.0.0.2:5000/v3";
const PASSWORD = "bench-pass";

/** New projects with a user each; dispose of them to delete both. What is in them is the caller's to delete first. */
export async function makeProjects(
  count: number,
): Promise<{ readonly auths: readonly CloudAuth[] } & AsyncDisposable> {
  const token = await adminToken();
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const reply = await fetch(`${KEYSTONE}${path}`, {
      method,
      headers: { "x-auth-token": token, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${method} ${path} answers HTTP ${reply.status}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  };
  const { roles } = (await call("GET", "/roles?name=member")) as { roles: readonly { id: string }[] };
  const role = roles[0]?.id ?? "";
  await using made = new AsyncDisposableStack();
  const auths: CloudAuth[] = [];
  for (let index = 0; index < count; index += 1) {
    const name = `bench-${randomBytes(4).toString("hex")}`;
    const { project } = (await call("POST", "/projects", { project: { name, domain_id: "default" } })) as {
      project: { id: string };
    };
    made.defer(async () => void (await call("DELETE", `/projects/${project.id}`)));
    const { user } = (await call("POST", "/users", {
      user: { name, password: PASSWORD, domain_id: "default" },
    })) as { user: { id: string } };
    made.defer(async () => void (await call("DELETE", `/users/${user.id}`)));
    await call("PUT", `/projects/${project.id}/users/${user.id}/roles/${role}`);
    auths.push({
      authUrl: KEYSTONE,
      projectName: name,
      projectDomainName: "Default",
      username: name,
      userDomainName: "Default",
      password: PASSWORD,
      region: null,
      caFile: null,
    });
  }
  const all = made.move();
  return { auths, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function adminToken(): Promise<string> {
  const user = { name: "admin", password: "adminpass", domain: { id: "default" } };
  const scope = { project: { name: "admin", domain: { id: "default" } } };
  const reply = await fetch(`${KEYSTONE}/auth/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ auth: { identity: { methods: ["password"], password: { user } }, scope } }),
  });
  const token = reply.headers.get("x-subject-token");
  if (token === null) throw new Error(`no token from ${KEYSTONE}: is the lab's fake cloud up?`);
  return token;
}
