/** The tokens that a proxy has seen issued, and their end before their time. */

/** Tokens of one Keystone. */
export interface IssuedTokens {
  /** Notes a token; it ends `lifeMs` from now unless that is null. */
  readonly note: (token: string, lifeMs: number | null) => void;
  /** Whether the token has ended, in the proxy's eyes. */
  readonly isOver: (token: string) => boolean;
  /** Ends all that were noted in the proxy's eyes alone: services that are at work with them go on. */
  readonly refuse: () => void;
  /**
   * Revokes all that were noted at Keystone and ends them here, because Keystone's other processes remember a token for a
   * while; gives how many were still good.
   */
  readonly revoke: () => Promise<number>;
}

/** Nobody's tokens yet; `origin` is Keystone's. */
export function issuedTokens(origin: string): IssuedTokens {
  const ends = new Map<string, number>();
  const known = new Set<string>();
  // Keystone API v3, "Revoke token"; a token may revoke itself
  const revokeOne = async (token: string): Promise<boolean> => {
    known.delete(token);
    const headers = { "x-auth-token": token, "x-subject-token": token };
    const { status } = await fetch(`${origin}/v3/auth/tokens`, { method: "DELETE", headers });
    if (status !== 204 && status !== 401 && status !== 404)
      throw new Error(`cannot revoke a token: HTTP ${status} from Keystone`);
    return status === 204;
  };
  const refuse = (): void => {
    for (const token of known) ends.set(token, -Infinity);
  };
  return {
    note(token, lifeMs) {
      known.add(token);
      if (lifeMs !== null) ends.set(token, performance.now() + lifeMs);
    },
    isOver: (token) => performance.now() > (ends.get(token) ?? Infinity),
    refuse,
    async revoke() {
      refuse();
      const were = await Promise.all([...known].map(revokeOne));
      return were.filter(Boolean).length;
    },
  };
}
