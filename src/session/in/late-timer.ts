/**
 * Tells many waiters that they have waited long enough, by one timer for all: a call that is answered in a millisecond
 * should not pay for a timer of its own, nor be remembered for longer.
 *
 * Storage: none. Cost: at most two timer events for each `afterMs` in which somebody waits, none otherwise.
 */
export class LateTimer {
  readonly #halfMs: number;
  /** Those who have waited for half of the time already, and those who have not. */
  #older = new Set<() => void>();
  #newer = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(afterMs: number) {
    this.#halfMs = afterMs / 2;
  }

  /** Calls `then` after at least half of the time and at most all of it, unless it is deleted before. */
  add(then: () => void): void {
    this.#newer.add(then);
    this.#timer ??= setTimeout(() => this.#strike(), this.#halfMs);
  }

  delete(then: () => void): void {
    if (!this.#newer.delete(then)) this.#older.delete(then);
  }

  #strike(): void {
    const late = this.#older;
    this.#older = this.#newer;
    this.#newer = new Set();
    this.#timer = this.#older.size === 0 ? undefined : setTimeout(() => this.#strike(), this.#halfMs);
    for (const then of late) then();
  }
}
