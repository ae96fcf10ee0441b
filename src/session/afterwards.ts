/** A timer is late by no more than this where nothing is wrong, milliseconds. */
const timerLostAfterMs = 10;

/** How much later the timer comes where several wait anyway, milliseconds: then it does for more of them. */
const busyMs = 1;

/**
 * What is to happen only when that has left this process which was sent just before: a timer comes after all that is on
 * its way through it. One timer for all who wait.
 *
 * Storage: none. Lifetime: the isolate's or the object's. Loses: a timer, with the request that it belongs to; the next
 * one does its work.
 */
export class Afterwards {
  #due: (() => void)[] = [];
  #armedAtMs = Number.NEGATIVE_INFINITY;
  /** Whether several waited the last time. */
  #isBusy = false;

  /** Runs `action` in that moment, in whichever request the timer belongs to. */
  run(action: () => void): void {
    this.#due.push(action);
    const nowMs = Date.now();
    if (nowMs - this.#armedAtMs <= timerLostAfterMs) return;
    this.#armedAtMs = nowMs;
    setTimeout(() => this.#runDue(), this.#isBusy ? busyMs : 0);
  }

  #runDue(): void {
    this.#armedAtMs = Number.NEGATIVE_INFINITY;
    const due = this.#due;
    this.#due = [];
    this.#isBusy = due.length > 1;
    for (const action of due) action();
  }
}
