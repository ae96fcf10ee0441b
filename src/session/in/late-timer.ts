/**
 * Tells many waiters that they have waited long enough, by one timer for all: a call that is answered in a millisecond
 * should not pay for a timer of its own.
 *
 * Storage: none. Cost: two timer events for each `afterMs` in which somebody waits, none otherwise.
 */
export class LateTimer {
  readonly #halfMs: number;
  /** Those who have waited for half of the time already, and those who have not. */
  #older: PromiseWithResolvers<void> | undefined;
  #newer: PromiseWithResolvers<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(afterMs: number) {
    this.#halfMs = afterMs / 2;
  }

  /** Resolves after at least half of the time and at most all of it. */
  late(): Promise<void> {
    this.#newer ??= Promise.withResolvers<void>();
    this.#timer ??= setTimeout(() => this.#strike(), this.#halfMs);
    return this.#newer.promise;
  }

  #strike(): void {
    this.#older?.resolve();
    this.#older = this.#newer;
    this.#newer = undefined;
    this.#timer = this.#older === undefined ? undefined : setTimeout(() => this.#strike(), this.#halfMs);
  }
}
