/** What the Worker and a session's object say to each other. Clients never see any of it. */

/** What a request to the object is for. The Worker always sets it, so a client's own header of this name is lost. */
export const verbHeader = "mcp-edge-verb";

export type Verb = "attach" | "release" | "sse-message" | "mcp-message" | "mcp-initialize" | "mcp-end";

/** `attach`: which stream of the session the WebSocket carries. */
export const streamHeader = "mcp-edge-stream";

/** `attach`: the sequence after which to replay. Absent: whatever the client may not have got. */
export const afterHeader = "mcp-edge-after";

/** `attach`: how the stream came to this object. */
export const attachHeader = "mcp-edge-attach";

/**
 * `fresh`: the session is new and need not exist yet. `claiming`: likewise, and the client is asked which session it was
 * in. `resumed`: the session must exist.
 */
export type AttachKind = "fresh" | "claiming" | "resumed";

/** `release`: the session that the relay is to attach to. */
export const releaseToHeader = "mcp-edge-release-to";

/** The stream of an HTTP+SSE session. */
export const sseStream = "sse";

/** The stream that GET opens in a Streamable HTTP session (revision 2025-11-25, Listening for Messages). */
export const listenStream = "listen";

/** A JSON-RPC id that starts so belongs to the ping by which a reconnecting client names its old session. */
export const claimPrefix = "claim:";

/** Why the object closed a relay's WebSocket. Any other close means that the object went away: attach again. */
export const closeCode = {
  /** The session is over, or this stream has nothing more to carry. */
  ended: 4000,
  /** A newer stream of the same session took its place. */
  superseded: 4001,
} as const;

/**
 * What the relay sends, as text: the sequence up to which the client has read. It does so once in half of
 * `maxStreamBacklogBytes`, so for small talk never, and the object sends no more than all of them ahead of it.
 */
export function confirmation(sequence: number): string {
  return String(sequence);
}

/** The one message that the object sends as text: attach the client's stream to this session instead. */
export interface AttachCommand {
  attach: string;
}

const headerBytes = 8;
const headerRoom = "\0".repeat(headerBytes);
const encoder = new TextEncoder();

/**
 * An SSE frame as the object sends it to the relay: its sequence number as a float64, then the bytes for the client.
 * The relay learns how far the client is without reading a byte of the frame.
 */
export function packFrame(sequence: number, frame: string): Uint8Array {
  const packed = encoder.encode(headerRoom + frame);
  new DataView(packed.buffer, packed.byteOffset).setFloat64(0, sequence);
  return packed;
}

export function unpackFrame(packed: ArrayBuffer): { sequence: number; frame: Uint8Array<ArrayBuffer> } {
  return { sequence: new DataView(packed).getFloat64(0), frame: new Uint8Array(packed, headerBytes) };
}

/** The bytes for the client, when the object writes to it directly. */
export function frameOf(packed: Uint8Array): Uint8Array {
  return packed.subarray(headerBytes);
}
