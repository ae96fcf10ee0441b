import type { RowStore } from "../stored/rows.ts";
import { isNotification, type SentMessage } from "./sent-message.ts";
import { Shelf } from "./shelf.ts";
import { Unsaved } from "./unsaved.ts";

export interface OutboxBounds {
  maxOutboxBytes: number;
  maxOutboxMessages: number;
  /** How long a message that was handed over is kept, milliseconds: a connection may be dead without anybody knowing. */
  retainMs: number;
}

/**
 * Who there is for a stream: a client, one that may come back as long as the session lives, or nobody who need come back.
 */
export type Audience = "there" | "away" | "gone";

/** What an outbox is told of those whom its messages are for. */
export interface Clients {
  audienceOf(stream: string): Audience;
  /** Whether a message that was handed over is known to have left for its client. */
  hasRead(message: SentMessage): boolean;
}

/** Of its bounds, what an outbox is brought down to by dropping notifications. */
const roomShare = 7 / 8;

/**
 * Messages sent to one client that may not have arrived.
 *
 * Storage: the attachment of its stream's socket while little is in doubt, see `Unsaved`; else the `Shelf`, written behind.
 * Cost: no row for small bursts on an open stream, one row for any other.
 * Lifetime: a message's, until it is acknowledged, or for `retainMs` if its client is there or gone; while its client is away
 * it stays. Loses: notifications, oldest first, beyond its bounds; then responses that their client has read, for all that is
 * known; then those whose client is gone; never another.
 */
export class Outbox {
  /** What only memory has, this object's and its relays'. */
  readonly unsaved = new Unsaved();
  readonly #shelf: Shelf;
  readonly #bounds: OutboxBounds;
  readonly #clients: Clients;
  readonly #messages = new Map<number, SentMessage>();
  #lastSequence = 0;
  /** Length of the frames of all messages, in memory and in rows. */
  #bytes = 0;
  /** How many messages are notifications. */
  #notifications = 0;

  constructor(store: RowStore, bounds: OutboxBounds, clients: Clients) {
    this.#shelf = new Shelf(store);
    this.#bounds = bounds;
    this.#clients = clients;
    this.#load();
  }

  /** Whether there is room for `bytes` more, once all messages are dropped that may be. If not, its client has to read first. */
  hasRoom(bytes = 0): boolean {
    this.#makeRoom(bytes);
    return this.#fits(bytes);
  }

  has(sequence: number): boolean {
    return this.#messages.has(sequence);
  }

  /**
   * The next sequence number. It is a clock's so that an object which restarts goes on above every number it ever gave,
   * also those it never stored: a reused number would resume at the wrong message.
   */
  nextSequence(nowMs: number): number {
    this.#lastSequence = Math.max(this.#lastSequence + 1, nowMs * 1_000);
    return this.#lastSequence;
  }

  add(message: SentMessage): void {
    this.#hold(message);
    this.markUnsaved(message);
    this.#makeRoom();
  }

  /** Keeps `message` in memory, and writes it to no row unless {@linkcode markUnsaved} says so. */
  addToMemory(message: SentMessage): void {
    this.#hold(message);
    this.#makeRoom();
  }

  /** `message` is to be written down by the next {@linkcode save}, if it is still there. */
  markUnsaved(message: SentMessage): void {
    if (this.#messages.has(message.sequence)) this.unsaved.add(message);
  }

  /** The frame of `message`, from memory or from its row. */
  packedOf(message: SentMessage): Uint8Array {
    return message.packed ?? this.#shelf.packedOf(message.sequence);
  }

  /** Up to this sequence nothing that a relay holds is in memory only: it is in a row, or need not be kept any more. */
  get keptSequence(): number {
    return this.unsaved.keptSequence(this.#lastSequence);
  }

  /** Takes messages that an attachment kept, or that a relay gives back, unless it has them. They are written with the rest. */
  takeBack(messages: SentMessage[]): void {
    for (const message of messages) {
      if (this.#messages.has(message.sequence)) continue;
      this.#hold(message);
      this.markUnsaved(message);
      this.#lastSequence = Math.max(this.#lastSequence, message.sequence);
    }
  }

  /** What to send when a stream continues after `sequence`, in order. */
  after(stream: string, sequence: number): SentMessage[] {
    return this.#inOrder((message) => message.stream === stream && message.sequence > sequence);
  }

  /** What to send when a client does not say how far it got: all that was handed over since, or never, in order. */
  inDoubt(stream: string, sinceMs: number): SentMessage[] {
    return this.#inOrder((message) => message.stream === stream && (message.handedOverAtMs ?? sinceMs) >= sinceMs);
  }

  /** What nobody was there for, or waits until the client has read what is before it, in order. */
  waiting(stream: string): SentMessage[] {
    return this.#inOrder((message) => message.stream === stream && message.handedOverAtMs === undefined);
  }

  /** The client has shown that it got this message; streams keep their order, so also all before it. */
  acknowledge(stream: string, sequence: number): void {
    for (const message of this.#messages.values()) {
      if (message.stream === stream && message.sequence <= sequence) this.#drop(message);
    }
    this.#shelf.deleteEmptyRows();
  }

  /** Forgets what the server asks its client, unless somebody `isWaiting` for the answer. */
  forgetRequests(isWaiting: (request: SentMessage) => boolean): void {
    for (const message of this.#messages.values()) {
      if (message.kind === "request" && !isWaiting(message)) this.#drop(message);
    }
  }

  /**
   * Forgets what was handed over longer than `retainMs` before `nowMs` to a client that is there still, or made for one that
   * is gone, and the rows of all that is forgotten.
   */
  prune(nowMs: number): void {
    const beforeMs = nowMs - this.#bounds.retainMs;
    for (const message of this.#messages.values()) {
      const { sequence, stream, handedOverAtMs } = message;
      // They are in order, and a sequence number is a clock's, so the rest is younger.
      if (sequence >= beforeMs * 1_000) break;
      const audience = this.#clients.audienceOf(stream);
      // Of one that is away it is not known what arrived before.
      const isArrived = handedOverAtMs !== undefined && handedOverAtMs < beforeMs && audience !== "away";
      if (isArrived || (handedOverAtMs === undefined && audience === "gone")) this.#drop(message);
    }
    this.#shelf.deleteEmptyRows();
  }

  /**
   * Writes what is not written yet. Call it in the same turn as what must hold together with it.
   * @throws if the platform refuses the write; what was not written is written next time.
   */
  save(): void {
    this.#shelf.deleteEmptyRows();
    this.unsaved.save((messages) => this.#shelf.put(messages));
  }

  #load(): void {
    for (const message of this.#shelf.load()) {
      // What was acknowledged and came back from elsewhere may be in two rows.
      if (this.#messages.has(message.sequence)) continue;
      this.#hold(message);
      this.#lastSequence = Math.max(this.#lastSequence, message.sequence);
    }
  }

  #inOrder(wanted: (message: SentMessage) => boolean): SentMessage[] {
    return [...this.#messages.values()].filter(wanted).sort((a, b) => a.sequence - b.sequence);
  }

  #hold(message: SentMessage): void {
    this.#messages.set(message.sequence, message);
    this.#bytes += message.bytes;
    if (isNotification(message)) this.#notifications += 1;
  }

  #fits(bytes: number, share = 1): boolean {
    const { maxOutboxBytes, maxOutboxMessages } = this.#bounds;
    return this.#bytes + bytes <= maxOutboxBytes * share && this.#messages.size <= maxOutboxMessages * share;
  }

  /** Drops what may go until `bytes` more fit. */
  #makeRoom(bytes = 0): void {
    if (this.#fits(bytes)) return;
    // Down to some room below the bounds: a tool that tells much would otherwise search for one to drop at each.
    if (this.#notifications > 0) this.#dropUntilFit(bytes, isNotification, roomShare);
    this.#dropUntilFit(bytes, (message) => message.handedOverAtMs !== undefined && this.#mayHaveArrived(message));
    this.#dropUntilFit(bytes, ({ stream }) => this.#clients.audienceOf(stream) === "gone");
  }

  /** Whether the client has read `message`. Of small ones no relay tells: beyond the bound on their number it is taken for granted. */
  #mayHaveArrived(message: SentMessage): boolean {
    return this.#clients.hasRead(message) || this.#messages.size > this.#bounds.maxOutboxMessages;
  }

  #dropUntilFit(bytes: number, mayGo: (message: SentMessage) => boolean, share = 1): void {
    if (this.#fits(bytes)) return;
    for (const message of this.#messages.values()) {
      if (mayGo(message)) this.#drop(message);
      if (this.#fits(bytes, share)) return;
    }
  }

  #drop(message: SentMessage): void {
    this.#messages.delete(message.sequence);
    this.unsaved.forget(message);
    this.#bytes -= message.bytes;
    if (isNotification(message)) this.#notifications -= 1;
    this.#shelf.forget(message.sequence);
  }
}
