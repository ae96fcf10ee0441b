import type { RequestId } from "@modelcontextprotocol/server";
import type { Settings } from "../../options.ts";
import type { Clock } from "../clock.ts";
import { formatEventId } from "../../protocol/event-id.ts";
import { pingJson } from "../../protocol/json-rpc.ts";
import { messageFrame, primingFrame } from "../../protocol/sse-frame.ts";
import { addressed, type CarriedBy, isPostStream, packedAgain, packFrame } from "../../link/link.ts";
import { LateSave } from "./late-save.ts";
import { type Audience, Outbox } from "./outbox.ts";
import type { PostStream } from "./post-stream.ts";
import type { Presence } from "./presence.ts";
import { messagesIn } from "./returned-messages.ts";
import type { RowStore } from "../stored/rows.ts";
import { isHeld, type MessageKind, type SendOutcome, type SentMessage } from "./sent-message.ts";
import type { Streams } from "./streams.ts";

/** How much may be in this object's memory only: sent on a stream without a relay, or waiting for a client to read, bytes. */
const maxUnsavedBytes = 1_500_000;
/** A closed connection is noticed at the second keep-alive after it; this is the margin on top, milliseconds. */
const noticeMarginMs = 5_000;
/** What always fits of answers, UTF-16 units: so few calls run at once. */
const smallLength = 4 * 1024;
/** A JSON-RPC id that starts so belongs to the ping that asks whether a replay arrived. */
const receiptPrefix = "receipt:";

export interface DeliveryOptions {
  sessionId: () => string;
  rows: RowStore;
  streams: Streams;
  settings: Settings;
  clock: Clock;
}

/**
 * The way of a message from the session to its client, and again, until it has arrived.
 *
 * Storage: the outbox. Lifetime: the object's time in memory; a later one has what the outbox and the relays give back.
 * Loses: nothing that was handed to a stream, while the object or its relay lives; see `Outbox` for the bounds.
 */
export class Delivery {
  readonly outbox: Outbox;
  readonly #options: DeliveryOptions;
  /** How long it takes until a dead connection is noticed, at most, milliseconds. */
  readonly #noticeMs: number;
  readonly #streams: Streams;
  readonly #clock: Clock;
  readonly #lateSave: LateSave;
  /** How far the client of each stream said it was, when it came back. */
  readonly #resumedAfter = new Map<string, number>();
  /** Pings behind replays that are not answered yet. */
  readonly #receipts = new Map<RequestId, { stream: string; sequence: number }>();

  constructor(options: DeliveryOptions) {
    const { settings, rows, streams, clock } = options;
    this.#options = options;
    this.#streams = streams;
    this.#clock = clock;
    this.#noticeMs = 2 * settings.keepAliveMs + noticeMarginMs;
    // Nothing is forgotten before its loss could have been noticed.
    const retainMs = Math.max(settings.reconnectGraceMs, this.#noticeMs);
    // Few clients resume the answer to a POST; those of the other streams may come back for as long as the session lives.
    const audienceOf = (stream: string): Audience => {
      if (streams.presenceOf(stream).is === "here") return "there";
      return isPostStream(stream) ? "gone" : "away";
    };
    const clients = { audienceOf, hasRead: (message: SentMessage) => streams.hasRead(message) };
    this.outbox = new Outbox(rows, { ...settings, retainMs }, clients);
    this.outbox.takeBack(streams.takeKept());
    this.#lateSave = new LateSave({ outbox: this.outbox, streams, clock });
    for (const stream of streams.attached) this.#noteSent(stream, clock());
  }

  /** The next place in the session's order, see {@linkcode Outbox.nextSequence}. */
  nextSequence(): number {
    return this.outbox.nextSequence(this.#clock());
  }

  /**
   * Sends a message, now or as soon as somebody is there. `post`: the POST that it answers, of which
   * its relay waits to hear.
   */
  send(stream: string, kind: MessageKind, json: string, post?: CarriedBy): SentMessage {
    const message = this.#add(stream, kind, json, post);
    const nowMs = this.#clock();
    const outcome = this.#handOver(message, nowMs);
    const isRelayed = outcome === "sent" && this.#streams.isAttached(stream);
    if (kind === "passing") {
      // A relay's stream outlives this object, so what was written to it has been said. It is repeated after a cut as long
      // as this object remembers, and costs no row.
      if (isRelayed) return message;
      this.outbox.markUnsaved(message);
    }
    this.#lateSave.noteSent(nowMs);
    // The POST that this answers is about to be accepted, and nobody else has the answer.
    const isOwed = outcome === "gone" || (outcome === "waiting" && kind === "response");
    if (isOwed || (!isRelayed && this.outbox.unsaved.bytes > maxUnsavedBytes)) this.save();
    else this.#lateSave.soon(nowMs);
    return message;
  }

  /**
   * Whether one more message is taken beside all that its client has not read yet: until that is more than the bounds. It
   * counts when it is made: one batch of small requests can ask for a hundred answers of 5 MiB each.
   */
  get hasRoom(): boolean {
    return this.outbox.hasRoom(this.#streams.heldLength);
  }

  /** Likewise for an answer of `length` UTF-16 units. */
  hasRoomFor(length: number): boolean {
    return length <= smallLength || this.hasRoom;
  }

  /**
   * Stores an answer, then sends it, in this order: the platform holds back what is sent after a write until the write is
   * on disk. So no client has an answer whose call is still journaled, and no call that ran is run again.
   */
  storeThenSend(stream: string, json: string): void {
    const message = this.#add(stream, "response", json);
    // Writing it down takes it out of memory.
    const { packed } = message;
    const nowMs = this.#clock();
    // What is stored of it. If nobody is there, it is owed; else in doubt, also if the object dies in between.
    if (this.#streams.isReadyFor(message)) message.handedOverAtMs = nowMs;
    this.save();
    this.#handOver(message, nowMs, packed);
  }

  #add(stream: string, kind: MessageKind, json: string, post?: CarriedBy): SentMessage {
    const sequence = this.nextSequence();
    const told = post !== undefined && this.#streams.isOn(stream, post.socket) ? post.sequence : 0;
    const frame = messageFrame(json, this.#eventId(stream, sequence));
    const packed = packFrame(sequence, frame, { post: told, isHeld: isHeld({ kind }) });
    const bytes = packed.byteLength;
    const message: SentMessage = { sequence, stream, kind, bytes, packed, handedOverAtMs: undefined };
    if (kind === "passing") this.outbox.addToMemory(message);
    else this.outbox.add(message);
    return message;
  }

  #eventId(stream: string, sequence: number): string {
    return formatEventId({ sessionId: this.#options.sessionId(), stream, sequence });
  }

  /** Makes the answer to a POST an SSE stream: something else comes first, or nothing for a while. */
  startEvents(post: PostStream): void {
    for (const held of post.startEvents()) this.send(post.name, "response", held);
  }

  /**
   * Sends, on a stream that just came back, what its client has not got: all after `after`, or without that all that is
   * in doubt: since its loss, if `before` the client was away, else whatever there is. `isPrimed`: before these messages,
   * the id to resume from if none of them arrives.
   */
  replay(
    stream: string,
    { after, before, isPrimed }: { after: number | undefined; before: Presence; isPrimed: boolean },
  ): void {
    const nowMs = this.#clock();
    const messages =
      after === undefined
        ? this.outbox.inDoubt(stream, before.is === "away" ? before.sinceMs - this.#noticeMs : 0)
        : this.outbox.after(stream, after);
    const from = after ?? (messages[0]?.sequence ?? this.outbox.nextSequence(nowMs)) - 1;
    if (isPrimed) {
      const packed = packFrame(from, primingFrame(this.#eventId(stream, from)));
      this.#streams.send({ stream, sequence: from, packed });
    }
    for (const message of messages) this.#handOverAgain(message, nowMs);
    if (after === undefined && messages.length > 0) this.#askForReceipt(stream);
    // The socket that this one took the place of may be all that kept these messages.
    if (this.outbox.unsaved.size > 0) this.#lateSave.soon(nowMs);
  }

  /** Goes on sending what waited for the client of `stream` to read. False if some of it waits still. */
  continueSending(stream: string): boolean {
    const nowMs = this.#clock();
    return this.outbox.waiting(stream).every((message) => this.#handOverAgain(message, nowMs) === "sent");
  }

  /** The client itself says that it has all of `stream` up to `sequence`. */
  acknowledge(stream: string, sequence: number): void {
    this.#resumedAfter.set(stream, sequence);
    this.outbox.acknowledge(stream, sequence);
  }

  /** Whether `id` is that of a ping behind a replay, which the client has answered: all before it has arrived. */
  takeReceipt(id: RequestId): boolean {
    const receipt = this.#receipts.get(id);
    if (receipt === undefined) return false;
    this.#receipts.delete(id);
    this.outbox.acknowledge(receipt.stream, receipt.sequence);
    return true;
  }

  /** Takes back what a relay wrote for its client just before this object crashed, and what nobody else has. */
  takeBack(stream: string, { frames, openedAtMs }: { frames: Uint8Array<ArrayBuffer>[]; openedAtMs: number }): void {
    const isSuperseded = this.#streams.hadNewer(stream, openedAtMs);
    const alreadyThere = this.#resumedAfter.get(stream) ?? 0;
    for (const { sequence, kind, json, plain } of messagesIn(frames)) {
      if (this.outbox.has(sequence) || sequence <= alreadyThere) continue;
      if (isSuperseded) {
        // Its client has another stream since, which must not see an older number after a newer one.
        this.send(stream, kind, json);
        continue;
      }
      const packed = packedAgain(plain);
      const message = { sequence, stream, kind, packed, bytes: packed.byteLength };
      this.outbox.takeBack([{ ...message, handedOverAtMs: this.#clock() }]);
    }
    this.save();
  }

  /** Writes all that only memory has. */
  save(): void {
    this.#lateSave.now();
  }

  /** Forgets the save that is due. */
  stop(): void {
    this.#lateSave.stop();
  }

  /** What waited when it was stored may have gone out before this object was rebuilt; its row does not say so. */
  #noteSent(stream: string, nowMs: number): void {
    for (const message of this.outbox.waiting(stream)) {
      if (!this.#streams.isHeldBack(message)) message.handedOverAtMs = nowMs;
    }
  }

  /** Not for the first time, or on another socket than that of the POST. */
  #handOverAgain(message: SentMessage, nowMs: number): SendOutcome {
    return this.#handOver(message, nowMs, addressed(this.outbox.packedOf(message), { post: 0 }));
  }

  #handOver(message: SentMessage, nowMs: number, packed = this.outbox.packedOf(message)): SendOutcome {
    const held = isHeld(message) && this.outbox.unsaved.has(message);
    const outcome = this.#streams.send({ ...message, packed: addressed(packed, { isHeld: held }) });
    message.handedOverAtMs = outcome === "sent" ? nowMs : undefined;
    return outcome;
  }

  /** A ping behind a replay: once it is answered all before it has arrived, and the next cut repeats none of it. */
  #askForReceipt(stream: string): void {
    const id = `${receiptPrefix}${this.nextSequence()}`;
    const { sequence } = this.send(stream, "request", pingJson(id));
    this.#receipts.set(id, { stream, sequence });
  }
}
