/** How many messages of somebody else's have come and not been before the borrower's eyes. */
export class Unread {
  readonly #waiting = new Set<number>();
  readonly #changed: (count: number) => void;
  #seen = 0;

  constructor(changed: (count: number) => void) {
    this.#changed = changed;
  }

  /** A message of somebody else's came; the same one again counts once. */
  came(seq: number): void {
    if (seq <= this.#seen || this.#waiting.has(seq)) return;
    this.#waiting.add(seq);
    this.#changed(this.#waiting.size);
  }

  /** Everything up to `seq` has been seen, here or in another tab. */
  seen(seq: number): void {
    this.#seen = Math.max(this.#seen, seq);
    const before = this.#waiting.size;
    for (const waiting of this.#waiting) if (waiting <= this.#seen) this.#waiting.delete(waiting);
    if (this.#waiting.size !== before) this.#changed(this.#waiting.size);
  }
}
