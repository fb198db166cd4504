/** The catalogue in a Keystone token, with the proxy's address in place of the services'. */
import * as v from "valibot";
import { SERVICES, type FaultyService } from "./rules.ts";

const TokenBody = v.looseObject({
  token: v.looseObject({
    catalog: v.array(
      v.looseObject({ type: v.string(), endpoints: v.array(v.looseObject({ url: v.string() })) }),
    ),
  }),
});

const isFaulty = (type: string): type is FaultyService => SERVICES.some((each) => each === type);

/**
 * The reply to `POST /v3/auth/tokens` with each endpoint `http://host:port/v2.1` as `<proxy>/compute/v2.1`, and
 * where each service really is (its origin). Services that the proxy does not know stay as they are; null for a
 * body without a catalogue.
 */
export function rewriteCatalogue(
  text: string,
  proxy: string,
): { readonly text: string; readonly origins: ReadonlyMap<FaultyService, string> } | null {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), TokenBody), text);
  if (!parsed.success) return null;
  const origins = new Map<FaultyService, string>();
  const catalog = parsed.output.token.catalog.map((entry) => {
    const { type } = entry;
    if (!isFaulty(type)) return entry;
    const endpoints = entry.endpoints.map((endpoint) => {
      const { origin, pathname } = new URL(endpoint.url);
      origins.set(type, origin);
      return { ...endpoint, url: `${proxy}/${type}${pathname === "/" ? "" : pathname}` };
    });
    return { ...entry, endpoints };
  });
  const { token } = parsed.output;
  return { text: JSON.stringify({ ...parsed.output, token: { ...token, catalog } }), origins };
}
