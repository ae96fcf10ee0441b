import type { Holder } from "../../link/link.ts";
import type { SentMessage } from "./sent-message.ts";

/** What a relay's WebSocket carries, kept with it through hibernation. The platform's limit is 16,384 bytes for all of it. */
export interface Attachment {
  stream: string;
  /** When its client opened it, milliseconds since 1970. */
  openedAtMs: number;
  /** Messages handed to it that may not have arrived, while they are few. */
  inDoubt?: (Omit<SentMessage, "packed" | "bytes"> & { packed: Uint8Array })[];
  /** The link's, of its relay; absent: 1. */
  version?: number;
  /** See `RelaySocket`. */
  waitsFrom?: number | undefined;
  /** Whose session it is: before its first message nothing else of it is kept. Absent: of the release before. */
  holder?: Holder;
}

export function attachmentOf(socket: WebSocket): Attachment {
  return socket.deserializeAttachment() as Attachment;
}

/** Changes what `socket` carries, the rest of it stays. */
export function attachTo(socket: WebSocket, change: Partial<Attachment>): void {
  socket.serializeAttachment({ ...attachmentOf(socket), ...change } satisfies Attachment);
}
