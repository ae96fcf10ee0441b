import { signal } from "@preact/signals";

/** What went over the page's connection: a POST, an event of the stream, or what became of the connection itself. */
export interface WireEntry {
  key: number;
  /** Milliseconds since the page was opened. */
  atMs: number;
  direction: "sent" | "received" | "connection";
  /** What it is, in a word or two: the method, `answer`, `endpoint`. */
  label: string;
  /** JSON, or a sentence. */
  text: string;
}

/** So many are kept: the newest. */
const mostEntries = 400;

let entries = 0;

/** Of a longer message the end is not kept, UTF-16 units: hundreds of results of megabytes would be more than a tab has. */
const mostLength = 100_000;

/** All of it, oldest first. */
export const wire = signal<readonly WireEntry[]>([]);

export function noteOnWire(direction: WireEntry["direction"], label: string, text: string): void {
  const isLong = text.length > mostLength;
  const kept = isLong ? `${text.slice(0, mostLength)}… (${text.length.toLocaleString("en")} characters)` : text;
  const entry = { key: (entries += 1), atMs: performance.now(), direction, label, text: kept };
  wire.value = [...wire.value, entry].slice(-mostEntries);
}

/** The method of a JSON-RPC message, or what it answers with. */
export function labelOf(json: string): string {
  try {
    const message: unknown = JSON.parse(json);
    if (typeof message !== "object" || message === null) return "message";
    if ("method" in message && typeof message.method === "string") return message.method;
    if ("error" in message) return "error";
    return "result" in message ? "answer" : "message";
  } catch {
    return "message";
  }
}
