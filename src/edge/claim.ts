import { pingJson } from "../protocol/json-rpc.ts";
import { messageFrame } from "../protocol/sse-frame.ts";
import { claimAsks, claimId } from "../link/link.ts";

export interface ClaimOptions {
  /** The object that holds the stream meanwhile. */
  freshId: string;
  /** How long the client has to answer, milliseconds. */
  claimMs: number;
  /** Sends the client a frame. */
  ask: (frame: string) => void;
  /** The client did not answer: it gets the fresh session. */
  giveUp: () => void;
}

type ClaimState =
  /** The client is asked, again and again. */
  | { is: "asking" }
  /** It named a session, which is being attached to; it is asked on, should that fail. */
  | { is: "attaching" }
  /** It is in a session. */
  | { is: "settled" };

/**
 * Asks a client which session it was in: it says by its answer to a `ping`, which it POSTs to that session's endpoint.
 *
 * Storage: none. Lifetime: `claimMs`, and as long as it takes to reach the session that was named.
 */
export class Claim {
  readonly #options: ClaimOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #state: ClaimState = { is: "asking" };
  #asked = 0;

  constructor(options: ClaimOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      // It has said it: what takes long now is to reach its session.
      if (this.#state.is === "attaching") return;
      if (this.#asked < claimAsks) return this.#ask();
      this.settle();
      options.giveUp();
    }, options.claimMs / claimAsks);
    this.#ask();
  }

  get isSettled(): boolean {
    return this.#state.is === "settled";
  }

  /** The client named its session. False if that is being attached to, or comes too late: then nothing is to be done. */
  answered(): boolean {
    if (this.#state.is !== "asking") return false;
    this.#state = { is: "attaching" };
    return true;
  }

  /** The session could not be reached this time: the client is asked on. */
  askOn(): void {
    if (this.#state.is === "attaching") this.#state = { is: "asking" };
  }

  settle(): void {
    this.#state = { is: "settled" };
    clearInterval(this.#timer);
  }

  #ask(): void {
    const id = claimId(this.#options.freshId, this.#asked++);
    this.#options.ask(messageFrame(pingJson(id)));
  }
}
