import { afterwards, formatFromRelay, type PostKey, type Receipt } from "../link/link.ts";
import type { Patience } from "./patience.ts";

/** A client's POST, as it is carried. */
export interface CarriedMessage {
  /** See `headOf`. */
  head: string;
  text: string;
}

/** What became of a POST. Without a receipt only the object knows, which may have got it under `key`. */
export interface Carried {
  receipt: Receipt | undefined;
  /** `undefined`: it was not sent. */
  key: PostKey | undefined;
}

interface Passenger extends CarriedMessage {
  /** That of its key. `undefined`: it was not sent. */
  sequence: number | undefined;
  /** What the object said became of it, which its client may hear once nothing waits in the stream. */
  receipt: Receipt | undefined;
  settled: PromiseWithResolvers<Receipt | undefined>;
}

/**
 * The uplinks of this isolate, by session. The newest stream of a session has it. Held by their streams only: the platform
 * may tear one down, for one that took all its CPU time, without a word that its uplink could be closed at.
 */
const uplinks = new Map<string, WeakRef<Uplink>>();
const tornDown = new FinalizationRegistry<string>((sessionId) => {
  if (Uplink.of(sessionId) === undefined) uplinks.delete(sessionId);
});

/** The WebSocket on which POSTs go. */
type Line =
  | { is: "closed" }
  | { is: "open"; sessionId: string; socket: WebSocket; onSilence: () => void }
  /** A POST went there of which nothing was heard: the request of the stream is to hear so. */
  | { is: "silent"; onSilence: () => void };

const closed: Line = { is: "closed" };

/** How often it is asked whether an answer still waits in its stream, milliseconds. */
const askAgainMs = 1;

/**
 * The way of a client's POSTs to its session over the WebSocket that its stream has open anyway, if both came to the same
 * isolate: one message on it instead of a request to the object, sooner there and at a twentieth of the price.
 *
 * What belongs to one request may not be touched in another. So a POST and its stream only resolve each other's promises,
 * and the runtime goes on with each in its own request (compatibility flag `handle_cross_request_promise_resolution`).
 * Those promises come from `Promise.withResolvers`: `new Promise`, once optimised, makes one that belongs to no request.
 *
 * Storage: none. Lifetime: its stream's. Loses: nothing: a POST of which nobody heard is sent by a request of its own.
 */
export class Uplink {
  /** `undefined`: the stream of this session is not in this isolate. */
  static of(sessionId: string): Uplink | undefined {
    return uplinks.get(sessionId)?.deref();
  }

  /** The hash of whose stream it is; empty without a login. */
  readonly owner: string;
  #line: Line = closed;
  readonly #epoch = crypto.randomUUID();
  #lastSequence = 0;
  #queue: Passenger[] = [];
  /** Those that were sent, by sequence. */
  readonly #sent = new Map<number, Passenger>();
  #called = Promise.withResolvers<void>();

  /** To be made in the request of the stream. */
  constructor(owner: string) {
    this.owner = owner;
    void this.#sendWhenCalled();
  }

  /** The key of the last POST that was sent. */
  get lastKey(): PostKey {
    return this.#keyOf(this.#lastSequence);
  }

  /**
   * From now on POSTs of this session go over `socket`. `onSilence` is called in the request of the stream if one was sent
   * there of which nothing was heard.
   */
  open(sessionId: string, socket: WebSocket, onSilence: () => void): void {
    this.close();
    this.#line = { is: "open", sessionId, socket, onSilence };
    uplinks.set(sessionId, new WeakRef(this));
    tornDown.register(this, sessionId, this);
  }

  /** The WebSocket is no more, or the stream: whoever is on the way must go by itself. */
  close(): void {
    this.#leave(closed);
    for (const { settled, receipt } of [...this.#sent.values(), ...this.#queue]) settled.resolve(receipt);
    this.#sent.clear();
    this.#queue = [];
  }

  /**
   * The object says what became of a POST, and `relay` has written the answer, if there was one. `isWritten`: whether
   * nothing that it wrote waits in its stream.
   */
  settle(receipt: Receipt, relay: { readonly isWritten: boolean }): void {
    const passenger = this.#sent.get(receipt.sequence);
    if (passenger === undefined) return;
    passenger.receipt = receipt;
    if (receipt.isAnswered) this.#landWhen(relay, passenger);
    else this.#land(passenger);
  }

  /**
   * Sends a POST to `sessionId` and waits for what becomes of it, as long as there is `patience`. To be called in the POST's
   * request, which ends its patience: one that waits for nothing of its own would count as hung.
   */
  async carry(sessionId: string, message: CarriedMessage, patience: Patience): Promise<Carried> {
    // While its body was read, the stream may have gone, or have been given to another session; or that took too long.
    if (Uplink.of(sessionId) !== this || patience.isOver) return { receipt: undefined, key: undefined };
    const settled = Promise.withResolvers<Receipt | undefined>();
    const passenger: Passenger = { ...message, sequence: undefined, receipt: undefined, settled };
    this.#queue.push(passenger);
    this.#called.resolve();
    patience.add(() => this.#giveUp(passenger));
    const receipt = await settled.promise;
    if (receipt?.isAnswered === true) await afterwards();
    return { receipt, key: passenger.sequence === undefined ? undefined : this.#keyOf(passenger.sequence) };
  }

  #giveUp(passenger: Passenger): void {
    if (passenger.receipt === undefined) this.#fallSilent();
    this.#queue = this.#queue.filter((waiting) => waiting !== passenger);
    this.#land(passenger);
  }

  /** Nothing is heard: the object is very busy, or its machine is gone, or the stream was torn down without a word. */
  #fallSilent(): void {
    if (this.#line.is !== "open") return;
    this.#leave({ is: "silent", onSilence: this.#line.onSilence });
    this.#called.resolve();
  }

  /** No POST is brought here any more. */
  #leave(next: Line): void {
    const left = this.#line;
    this.#line = next;
    if (left.is !== "open") return;
    tornDown.unregister(this);
    if (Uplink.of(left.sessionId) === this) uplinks.delete(left.sessionId);
  }

  #landWhen(relay: { readonly isWritten: boolean }, passenger: Passenger): void {
    if (passenger.sequence === undefined || !this.#sent.has(passenger.sequence)) return;
    if (relay.isWritten) return this.#land(passenger);
    setTimeout(() => this.#landWhen(relay, passenger), askAgainMs);
  }

  #land({ sequence, receipt, settled }: Passenger): void {
    if (sequence !== undefined) this.#sent.delete(sequence);
    settled.resolve(receipt);
  }

  #keyOf(sequence: number): PostKey {
    return { epoch: this.#epoch, sequence };
  }

  /** Runs in the request of the stream, to which the WebSocket belongs. */
  async #sendWhenCalled(): Promise<void> {
    for (;;) {
      await this.#called.promise;
      this.#called = Promise.withResolvers<void>();
      this.#sendQueued();
    }
  }

  /** By itself: the loop above would hold the last POST, with all its headers, while its session is quiet. */
  #sendQueued(): void {
    if (this.#line.is === "silent") return this.#line.onSilence();
    for (const passenger of this.#queue.splice(0)) this.#send(passenger);
  }

  #send(passenger: Passenger): void {
    const sequence = this.#lastSequence + 1;
    try {
      if (this.#line.is !== "open") return passenger.settled.resolve(undefined);
      const post = { key: this.#keyOf(sequence), head: passenger.head, text: passenger.text };
      this.#line.socket.send(formatFromRelay({ is: "post", post }));
    } catch {
      // It closed under us, or the runtime went on in another request than this one.
      passenger.settled.resolve(undefined);
      return this.close();
    }
    this.#lastSequence = sequence;
    passenger.sequence = sequence;
    this.#sent.set(sequence, passenger);
  }
}
