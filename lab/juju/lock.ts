/** The machine lock: one hook, action or command at a time on a machine (contract 1.4). */

/** A lock that is handed over in the order of asking. */
export class Lock {
  #tail: Promise<void> = Promise.resolve();

  /** Waits for the lock; the caller must call the returned function once to release it. */
  async acquire(): Promise<() => void> {
    const before = this.#tail;
    let release = (): void => {};
    this.#tail = new Promise((resolve) => void (release = resolve));
    await before;
    return release;
  }
}
