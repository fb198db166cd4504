/** Answers kept for one dispatch: Juju's own view does not change while a hook runs (juju-rules 4.4). */

/** A function that asks once per key and gives everybody the same answer; a failed ask is not kept. */
export function oncePerKey<T>(ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return async (key) => {
    const known = answers.get(key);
    if (known !== undefined) return await known;
    const answer = ask(key);
    answers.set(key, answer);
    try {
      return await answer;
    } catch (error) {
      answers.delete(key);
      throw error;
    }
  };
}

/** As {@link oncePerKey}, for a question without a key. */
export function once<T>(ask: () => Promise<T>): () => Promise<T> {
  const answer = oncePerKey(ask);
  return () => answer("");
}
