import { attempt } from "./attempt.ts";
import type { Handshake } from "./handshake.ts";

/** What the answer to `initialize` takes to leave this machine, milliseconds: a write stops everything else on it. */
const storeAfterMs = 2;

/**
 * A handshake that is not written yet, for a moment: right after the answer to `initialize`, which waits for nothing, as a
 * session's first write opens its database. `write` sets the alarm as well: there is never a row without one.
 */
export class LateHandshake {
  readonly #write: (handshake: Handshake) => void;
  #unstored: Handshake | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(write: (handshake: Handshake) => void) {
    this.#write = write;
  }

  store(handshake: Handshake): void {
    // A tool that did not stop when its session ended remembers something.
    if (this.#isOver) return;
    this.#unstored = handshake;
    this.#timer ??= setTimeout(() => attempt(() => this.flush()), storeAfterMs);
  }

  /** Writes it now, if there is one. Throws what the platform does that refuses. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const handshake = this.#unstored;
    if (handshake === undefined) return;
    this.#write(handshake);
    this.#unstored = undefined;
  }

  /** The session is over: nothing of it is written any more. */
  drop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#unstored = undefined;
  }
}
