import type { Clock } from "../clock.ts";
import { attempt } from "../stored/attempt.ts";
import { maxAttachedBytes } from "./kept-messages.ts";
import type { Outbox } from "./outbox.ts";
import type { Streams } from "./streams.ts";

/** How long after its last message a burst is saved, milliseconds. */
const saveAfterMs = 50;
/** The same for a burst that is too large for its socket to keep: a row is dearer, and the relay has a copy meanwhile. */
const saveRowAfterMs = 1_000;
/** How long a burst may last before it is saved all the same, milliseconds. */
const longestBurstMs = 5_000;

export interface LateSaveOptions {
  outbox: Outbox;
  streams: Streams;
  clock: Clock;
}

/**
 * When and where the messages are saved that only memory has: a small burst in the attachment of its socket, any other in
 * rows.
 *
 * Storage: none of its own. Cost: a timer while a burst lasts. Lifetime: the object's time in memory.
 */
export class LateSave {
  readonly #outbox: Outbox;
  readonly #streams: Streams;
  readonly #clock: Clock;
  #lastSentAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ outbox, streams, clock }: LateSaveOptions) {
    this.#outbox = outbox;
    this.#streams = streams;
    this.#clock = clock;
  }

  /** A message was sent: the burst that it belongs to is not over yet. */
  noteSent(nowMs: number): void {
    this.#lastSentAtMs = nowMs;
  }

  /** Saves once the burst is over, of which this is the begin if none is going on. */
  soon(nowMs: number): void {
    this.#timer ??= setTimeout(() => this.#saveBurst(nowMs), saveAfterMs);
  }

  /** Writes all that only memory has: no stream may be left to send it on. */
  now(): void {
    this.stop();
    this.#outbox.prune(this.#clock());
    this.#outbox.takeBack(this.#streams.takeKept());
    if (this.#outbox.unsaved.size > 0 && !attempt(() => this.#outbox.save())) return;
    // The platform holds this back until the rows are on disk.
    this.#streams.tellKept(this.#outbox.keptSequence);
    // What is in rows is not to come back from a socket once it has been acknowledged.
    this.#streams.keep([]);
  }

  /** Forgets the save that is due. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** A burst that began at `startedAtMs` is saved if it is over: the object may hibernate next. */
  #saveBurst(startedAtMs: number): void {
    const nowMs = this.#clock();
    const few = this.#outbox.unsaved.within(maxAttachedBytes);
    const waitMs = (few === undefined ? saveRowAfterMs : saveAfterMs) - (nowMs - this.#lastSentAtMs);
    if (waitMs > 0 && nowMs - startedAtMs < longestBurstMs) {
      this.#timer = setTimeout(() => this.#saveBurst(startedAtMs), waitMs);
      return;
    }
    this.#timer = undefined;
    this.#outbox.prune(nowMs);
    if (few === undefined || !this.#streams.keep(few)) return this.now();
    // What its client is known to have: a relay holds it until it hears of that.
    if (this.#outbox.unsaved.hasForgotten(maxAttachedBytes)) this.#streams.tellKept(this.#outbox.keptSequence);
  }
}
