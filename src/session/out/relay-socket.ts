import * as link from "../../link/link.ts";
import { type Attachment, attachTo } from "./attachment.ts";
import type { MessageKind, SendOutcome } from "./sent-message.ts";

/** How much is sent together, bytes: as much as costs about as much as one message of a WebSocket by itself. */
const maxTogetherBytes = 16 * 1024;

/**
 * A relay's WebSocket, and how far ahead of its client we are.
 *
 * Storage: its attachment has which message waits. Lifetime: the socket's; in memory the object's.
 */
export class RelaySocket {
  readonly socket: WebSocket;
  /** When its client opened the stream, milliseconds since 1970. */
  readonly openedAtMs: number;
  readonly #version: number;
  readonly #maxStreamBacklogBytes: number;
  /** Bytes sent since the relay last confirmed. After hibernation 0: its client had all the time to read. */
  #unconfirmedBytes = 0;
  /** The sequence of the first message that waits for a confirmation, if one does. None may overtake it. */
  #waitsFrom: number | undefined;
  /** Frames of this turn of the event loop behind the first, which are to be one message of the WebSocket. */
  #turn: { frames: Uint8Array[]; bytes: number } | undefined;

  /**
   * With what `socket` carries; `maxStreamBacklogBytes` is what its client may leave unread, bytes: the rest waits in the
   * outbox.
   */
  constructor(
    socket: WebSocket,
    { openedAtMs, version = 1, waitsFrom }: Omit<Attachment, "stream">,
    maxStreamBacklogBytes: number,
  ) {
    this.socket = socket;
    this.openedAtMs = openedAtMs;
    this.#version = version;
    this.#maxStreamBacklogBytes = maxStreamBacklogBytes;
    this.#waitsFrom = waitsFrom;
  }

  /** Whether a message of its stream is behind those that its client must read first. */
  isHeldBack(sequence: number): boolean {
    return this.#waitsFrom !== undefined && sequence >= this.#waitsFrom;
  }

  /**
   * Whether a message of `bytes` would go out at once. A relay confirms when half of the bound is unconfirmed; below that it
   * says nothing, and need not be waited for.
   */
  mayTake(bytes: number): boolean {
    const aheadBytes = this.#unconfirmedBytes + (this.#turn?.bytes ?? 0) + bytes;
    const isTooFarAhead =
      this.#unconfirmedBytes >= this.#maxStreamBacklogBytes / 2 && aheadBytes > this.#maxStreamBacklogBytes;
    return this.#waitsFrom === undefined && !isTooFarAhead;
  }

  /**
   * Sends a frame. A tool that tells one thing after the other tells hundreds in one turn, and each message of the WebSocket
   * costs more than what it says: the first goes at once, those behind it go together when the turn is over, or before
   * anything else does.
   */
  send(packed: Uint8Array, sequence: number, kind: MessageKind | undefined): SendOutcome {
    if (!this.mayTake(packed.byteLength)) {
      if (this.#waitsFrom === undefined) this.#waitFrom(sequence);
      return "waiting";
    }
    if (kind !== "passing" || packed.byteLength > maxTogetherBytes) {
      this.#sendTogether();
      return this.#sendNow(packed);
    }
    if (this.#turn === undefined) {
      this.#turn = { frames: [], bytes: 0 };
      setTimeout(() => {
        this.#sendTogether();
        this.#turn = undefined;
      }, 0);
      return this.#sendNow(packed);
    }
    this.#turn.frames.push(packed);
    this.#turn.bytes += packed.byteLength;
    if (this.#turn.bytes >= maxTogetherBytes) this.#sendTogether();
    return "sent";
  }

  /** Sends what is to be sent together. If its relay is gone, the outbox has it: it was not read. */
  #sendTogether(): void {
    if (this.#turn === undefined || this.#turn.bytes === 0) return;
    const { frames } = this.#turn;
    this.#turn = { frames: [], bytes: 0 };
    this.#sendNow(link.packTogether(frames));
  }

  #sendNow(packed: Uint8Array): SendOutcome {
    try {
      const sent = link.frameFor(this.#version, packed);
      this.socket.send(sent);
      // As its relay counts the frame: one that has fewer bytes would not confirm when this waits for it.
      this.#unconfirmedBytes += sent.byteLength;
      return "sent";
    } catch {
      // The relay is gone and the close event is on its way: the message waits in the outbox.
      return "gone";
    }
  }

  /** Once what was sent is on its way. */
  close(code: number, reason: string): void {
    this.#sendTogether();
    this.socket.close(code, reason);
  }

  /** The relay need not hold anything up to `sequence` any more. */
  tellKept(sequence: number): void {
    if (!link.hearsKept(this.#version)) return;
    try {
      this.socket.send(link.formatFromObject({ is: "kept", sequence }));
    } catch {
      // The relay is gone, and what it held with it.
    }
  }

  /** The client has read all that was sent. */
  confirm(): void {
    this.#unconfirmedBytes = 0;
    if (this.#waitsFrom !== undefined) this.#waitFrom(undefined);
  }

  /** Also through hibernation: the client may still not have read when the object is back. */
  #waitFrom(sequence: number | undefined): void {
    this.#waitsFrom = sequence;
    attachTo(this.socket, { waitsFrom: sequence });
  }
}
