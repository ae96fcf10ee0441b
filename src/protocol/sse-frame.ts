/**
 * Server-sent events as text (HTML Standard, section 9.2). Each function returns whole blocks, blank line included.
 * JSON never holds a raw line break, so a message is always one `data:` line.
 */

/** Those of a stream: no proxy is to hold an event back, or to change it. */
export const eventStreamHeaders = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

/** Ignored by every client, seen by every proxy. Never `event: ping`: that breaks the Java SDK. */
export const keepAliveFrame = ": keep-alive\n\n";

/**
 * The first event of the HTTP+SSE transport: where to POST (revision 2024-11-05, Transports). With an id, because a client
 * may be cut before its first message, and names its session by the last id that it has seen.
 */
export function endpointFrame(id: string, endpoint: string, retryMs?: number): string {
  return `${retryField(retryMs)}event: endpoint\nid: ${id}\ndata: ${endpoint}\n\n`;
}

/** One JSON-RPC message. `json` is its serialization. Without an id it is not to be resumed from. */
export function messageFrame(json: string, id?: string): string {
  return `event: message\n${id === undefined ? "" : `id: ${id}\n`}data: ${json}\n\n`;
}

/** The JSON of {@linkcode messageFrame}; `undefined` for a block that is none. */
export function dataOf(frame: string): string | undefined {
  // Not `.`: a line of an event stream goes on after U+2028, which JSON holds as it is.
  return /\ndata: ([^\n]+)/.exec(frame)?.[1];
}

/** Whether clients of a revision can read an event without data (SEP-1699). `version`: what a client said it speaks. */
export function readsPriming(version: unknown): boolean {
  return typeof version === "string" && version >= "2025-11-25";
}

/** An event without data that gives a client an id to resume from (revision 2025-11-25, Resumability). */
export function primingFrame(id: string, retryMs?: number): string {
  return `id: ${id}\n${retryField(retryMs)}data: \n\n`;
}

/** Tells a client how long to wait before its next reconnect, in milliseconds. Dispatches no event. */
export function retryFrame(retryMs: number): string {
  return `${retryField(retryMs)}\n`;
}

/** What a stream begins with that has no other first event. `retryMs`: for those who read it. */
export function openingFrame(retryMs: number | undefined): string {
  return retryMs === undefined ? keepAliveFrame : retryFrame(retryMs);
}

function retryField(retryMs: number | undefined): string {
  return retryMs === undefined ? "" : `retry: ${retryMs}\n`;
}
