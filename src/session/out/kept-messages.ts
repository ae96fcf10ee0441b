import { packedAgain, plainFrame } from "../../link/link.ts";
import { attachmentOf, attachTo } from "./attachment.ts";
import type { SentMessage } from "./sent-message.ts";

/** What an attachment may hold of messages, bytes: the rest of it is small. */
export const maxAttachedBytes = 14_000;

/**
 * Messages that are in doubt and so few that the socket which they were sent on keeps them, through hibernation.
 *
 * Storage: the sockets' attachments. Cost: none. Lifetime: until the next burst, or the socket's. Loses: all, in a crash.
 */
export class KeptMessages {
  /** Found in attachments, whose messages this object's memory does not have yet. */
  readonly #found: SentMessage[] = [];
  /** Sockets whose messages are in memory: their attachments have nothing newer. */
  readonly #read = new WeakSet<WebSocket>();
  #isKeeping = false;

  /** A socket was there before this object was in memory. */
  found(socket: WebSocket): void {
    if (this.#find(socket) > 0) this.#isKeeping = true;
  }

  /** A socket attaches, and keeps nothing yet. */
  attached(socket: WebSocket): void {
    this.#read.add(socket);
  }

  /** A socket closed. If that is what woke the object, nobody else has the messages that it kept. */
  closed(socket: WebSocket): void {
    if (!this.#read.has(socket)) this.#find(socket);
  }

  /** The messages that were found, in order; once. */
  take(): SentMessage[] {
    return this.#found.splice(0).sort((a, b) => a.sequence - b.sequence);
  }

  /** Whether an attachment holds messages. */
  get isKeeping(): boolean {
    return this.#isKeeping;
  }

  /** Has `socket` keep `messages`, whose bytes are in memory, and no others. */
  keep(socket: WebSocket, messages: SentMessage[]): void {
    const inDoubt = messages.map((message) => ({
      ...message,
      packed: plainFrame(message.packed ?? new Uint8Array()),
    }));
    attachTo(socket, { inDoubt });
    this.#isKeeping = inDoubt.length > 0;
  }

  /** Returns how many messages the attachment of `socket` holds. */
  #find(socket: WebSocket): number {
    const { inDoubt = [] } = attachmentOf(socket);
    this.#read.add(socket);
    for (const message of inDoubt) {
      const packed = packedAgain(message.packed);
      this.#found.push({ ...message, packed, bytes: packed.byteLength });
    }
    return inDoubt.length;
  }
}
