/** The tokens that a proxy has seen issued, and their end before their time. */

/** Tokens of one Keystone; dispose of it so that none is revoked later. */
export interface IssuedTokens extends Disposable {
  /** Notes a token; it is revoked `lifeMs` from now unless that is null. */
  readonly note: (token: string, lifeMs: number | null) => void;
  /** Revokes all that were noted, really and at once; gives how many were still good. */
  readonly revoke: () => Promise<number>;
}

/** Nobody's tokens yet; `origin` is Keystone's. */
export function issuedTokens(origin: string): IssuedTokens {
  const tokens = new Set<string>();
  const timers = new Set<NodeJS.Timeout>();
  // Keystone API v3, "Revoke token"; a token may revoke itself
  const revokeOne = async (token: string): Promise<boolean> => {
    tokens.delete(token);
    const headers = { "x-auth-token": token, "x-subject-token": token };
    const { status } = await fetch(`${origin}/v3/auth/tokens`, { method: "DELETE", headers });
    if (status !== 204 && status !== 401 && status !== 404)
      throw new Error(`cannot revoke a token: HTTP ${status} from Keystone`);
    return status === 204;
  };
  return {
    note(token, lifeMs) {
      tokens.add(token);
      if (lifeMs === null) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        // Keystone may have gone with the lab
        revokeOne(token).catch(() => {});
      }, lifeMs);
      timers.add(timer);
    },
    async revoke() {
      const were = await Promise.all([...tokens].map(revokeOne));
      return were.filter(Boolean).length;
    },
    [Symbol.dispose]() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
