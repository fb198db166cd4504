/** The model's proxies where one has a password: what may be written down of them. */
import type { Proxy } from "./types.ts";

/** Name of the variable with the path of the file that {@link Proxy} is handed over in; its process removes the file. */
export const PROXIES_VARIABLE = "IMAGE_BUILDER_PROXIES";

/** Stands for the name and password in an address. */
const HIDDEN = "***";

/** What stands before the host of an address: scheme, name and password. */
const USER_INFO = /^(\w+:\/\/)?(.*)@/;

/** Whether an address of `proxy` holds a name or a password. */
export function isSecret(proxy: Proxy): boolean {
  return proxy.http.includes("@") || proxy.https.includes("@");
}

/** `proxy` with `***` for names and passwords: the form that may be in files. */
export function hidden(proxy: Proxy): Proxy {
  const hide = (address: string): string => address.replace(USER_INFO, `$1${HIDDEN}@`);
  return { http: hide(proxy.http), https: hide(proxy.https), noProxy: proxy.noProxy };
}

/** Whether `proxy` is what {@link hidden} left of one. */
export function isHidden(proxy: Proxy): boolean {
  return [proxy.http, proxy.https].some((address) => USER_INFO.exec(address)?.[2] === HIDDEN);
}

/** What no log may show of `proxy`: passwords as written and decoded, and what is sent for them. */
export function proxyPasswords(proxy: Proxy): readonly string[] {
  return [proxy.http, proxy.https].flatMap((address) => {
    const userInfo = USER_INFO.exec(address)?.[2];
    if (userInfo === undefined) return [];
    const password = userInfo.slice(userInfo.indexOf(":") + 1);
    // the last is the form that HTTP's Basic scheme encodes
    return [password, decoded(password), decoded(userInfo)];
  });
}

/** `proxy` as environment variables that Node and `request` read; those that are not set are left out. */
export function proxyEnvironment(proxy: Proxy): Readonly<Record<string, string>> {
  const all = { HTTP_PROXY: proxy.http, HTTPS_PROXY: proxy.https, NO_PROXY: proxy.noProxy };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    // a bare % is legal in what people type; then it is the password itself
    if (error instanceof URIError) return text;
    throw error;
  }
}
