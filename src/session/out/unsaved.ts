import { isHeld, type SentMessage } from "./sent-message.ts";

/** What a message takes in an attachment beside its frame, at most, bytes. */
const messageOverheadBytes = 200;

/**
 * The messages of an outbox whose bytes only memory has, this object's and its relays'.
 *
 * Storage: none. Lifetime: a message's, until it is in a row, or is not needed any more.
 */
export class Unsaved {
  readonly #messages = new Set<SentMessage>();
  #bytes = 0;
  #forgottenBytes = 0;

  get size(): number {
    return this.#messages.size;
  }

  /** Length of the frames of all of them. */
  get bytes(): number {
    return this.#bytes;
  }

  has(message: SentMessage): boolean {
    return this.#messages.has(message);
  }

  add(message: SentMessage): void {
    if (this.#messages.has(message)) return;
    this.#messages.add(message);
    this.#bytes += message.bytes;
  }

  /** `message` is not needed any more, if it is one of these. */
  forget(message: SentMessage): void {
    if (this.#delete(message)) this.#forgottenBytes += message.bytes;
  }

  /** Whether more than `bytes` of messages were forgotten before they were written; counted anew once it is true. */
  hasForgotten(bytes: number): boolean {
    if (this.#forgottenBytes <= bytes) return false;
    this.#forgottenBytes = 0;
    return true;
  }

  /** Of all messages up to `last`: up to which sequence none is among these that a relay holds. */
  keptSequence(last: number): number {
    let kept = last;
    for (const message of this.#messages) if (isHeld(message)) kept = Math.min(kept, message.sequence - 1);
    return kept;
  }

  /** All of them, if an attachment with `maxBytes` of room can hold them, which costs no row; `undefined` if it cannot. */
  within(maxBytes: number): SentMessage[] | undefined {
    const bytes = this.#bytes + this.#messages.size * messageOverheadBytes;
    return bytes > maxBytes ? undefined : [...this.#messages];
  }

  /**
   * Has `put` write all of them down.
   * @throws what `put` throws; the messages whose bytes are left were not written, and stay.
   */
  save(put: (messages: Iterable<SentMessage>) => void): void {
    try {
      put(this.#messages);
    } finally {
      for (const message of this.#messages) if (message.packed === undefined) this.#delete(message);
    }
  }

  #delete(message: SentMessage): boolean {
    if (!this.#messages.delete(message)) return false;
    this.#bytes -= message.bytes;
    return true;
  }
}
