import { attempt } from "./attempt.ts";
import type { Handshake } from "./handshake.ts";

/** What the answer to `initialize` takes to leave this machine, milliseconds: a write stops everything else on it. */
const storeAfterMs = 2;

type State =
  | { is: "written" }
  | { is: "due"; handshake: Handshake; timer: ReturnType<typeof setTimeout> }
  /** The handshake is being written, or the platform refused it: the next write of any row tries again. */
  | { is: "tried"; handshake: Handshake }
  | { is: "over" };

/**
 * A handshake that is not written yet, for a moment: right after the answer to `initialize`, which waits for nothing, as a
 * session's first write opens its database. `write` sets the alarm as well: there is never a row without one.
 */
export class LateHandshake {
  readonly #write: (handshake: Handshake) => void;
  #state: State = { is: "written" };

  constructor(write: (handshake: Handshake) => void) {
    this.#write = write;
  }

  /** `isPromised`: the client is about to be answered that the change holds, and will not ask for it again. Written at once. */
  store(handshake: Handshake, { isPromised = false } = {}): void {
    // A tool that did not stop when its session ended remembers something.
    if (this.#state.is === "over") return;
    const timer =
      this.#state.is === "due" ? this.#state.timer : setTimeout(() => attempt(() => this.flush()), storeAfterMs);
    this.#state = { is: "due", handshake, timer };
    if (isPromised) attempt(() => this.flush());
  }

  /** Writes the handshake now, if it is not written. @throws if the platform refuses the write. */
  flush(): void {
    const state = this.#state;
    if (state.is === "written" || state.is === "over") return;
    const { handshake } = state;
    if (state.is === "due") clearTimeout(state.timer);
    this.#state = { is: "tried", handshake };
    this.#write(handshake);
    this.#state = { is: "written" };
  }

  /** The session is over: its handshake is not written any more. */
  drop(): void {
    if (this.#state.is === "due") clearTimeout(this.#state.timer);
    this.#state = { is: "over" };
  }
}
