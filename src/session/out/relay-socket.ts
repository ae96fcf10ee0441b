import * as link from "../../link/link.ts";
import { attachTo } from "./attachment.ts";
import type { SendOutcome } from "./sent-message.ts";

export interface RelaySocketOptions {
  socket: WebSocket;
  /** When its client opened the stream, milliseconds since 1970. */
  openedAtMs: number;
  /** The link's. */
  version: number;
  /** What its client may leave unread, bytes. The rest waits in the outbox. */
  maxStreamBacklogBytes: number;
  /** The sequence of the first message that waits, if one does since before hibernation. */
  waitsFrom: number | undefined;
}

/**
 * A relay's WebSocket, and how far ahead of its client we are.
 *
 * Storage: its attachment has which message waits. Lifetime: the socket's; in memory the object's.
 */
export class RelaySocket {
  readonly socket: WebSocket;
  readonly openedAtMs: number;
  readonly #version: number;
  readonly #maxStreamBacklogBytes: number;
  /** Bytes sent since the relay last confirmed. After hibernation 0: its client had all the time to read. */
  #unconfirmedBytes = 0;
  /** The sequence of the first message that waits for a confirmation, if one does. None may overtake it. */
  #waitsFrom: number | undefined;

  constructor({ socket, openedAtMs, version, maxStreamBacklogBytes, waitsFrom }: RelaySocketOptions) {
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
    const isTooFarAhead =
      this.#unconfirmedBytes >= this.#maxStreamBacklogBytes / 2 &&
      this.#unconfirmedBytes + bytes > this.#maxStreamBacklogBytes;
    return this.#waitsFrom === undefined && !isTooFarAhead;
  }

  send(packed: Uint8Array, sequence: number): SendOutcome {
    if (!this.mayTake(packed.byteLength)) {
      if (this.#waitsFrom === undefined) this.#waitFrom(sequence);
      return "waiting";
    }
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

  /** The relay need not hold answers up to `sequence` any more. */
  tellKept(sequence: number): void {
    if (!link.hearsKept(this.#version)) return;
    try {
      this.socket.send(link.formatFromObject({ is: "kept", sequence }));
    } catch {
      // The relay is gone, and the answers that it held with it.
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
