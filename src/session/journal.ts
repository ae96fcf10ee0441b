import type { JSONRPCRequest } from "@modelcontextprotocol/server";
import type { RowStore } from "./rows.ts";

/** A request that was accepted and is not answered yet, with all that is needed to run it again. */
export interface JournalEntry {
  request: JSONRPCRequest;
  /** The stream of the session on which the answer goes out. */
  stream: string;
  /** The HTTP request that brought it: a tool may read its headers. */
  url: string;
  headers: [string, string][];
}

const prefix = "call/";
/** UTF-16 units. A row holds at most 2 MB, and a unit takes at most three bytes of UTF-8. */
const maxPartLength = 600_000;

/**
 * The requests that a client was told are accepted, so that none vanishes with the object.
 *
 * Storage: rows `call/…`, one a request (more beyond 600 KB). Cost: one row written and one deleted for each request
 * that takes longer than `journalAfterMs`; none for the others. Lifetime: from acceptance to answer.
 */
export class Journal {
  readonly #store: RowStore;
  #count = 0;

  constructor(store: RowStore) {
    this.#store = store;
  }

  /** Writes `entry` down and returns the key to {@linkcode remove} it by. */
  add(entry: JournalEntry, sequence: number): string {
    const key = `${prefix}${String(sequence).padStart(16, "0")}.${this.#count++}/`;
    const text = JSON.stringify(entry);
    for (let part = 0; part * maxPartLength < text.length; part++) {
      this.#store.put(
        `${key}${String(part).padStart(4, "0")}`,
        text.slice(part * maxPartLength, (part + 1) * maxPartLength),
      );
    }
    return key;
  }

  remove(key: string): void {
    const parts = Array.from(this.#store.list({ prefix: key }), ([partKey]) => partKey);
    for (const partKey of parts) this.#store.delete(partKey);
  }

  /** What an earlier run of this object left unanswered, oldest first. */
  interrupted(): { key: string; entry: JournalEntry }[] {
    const texts = new Map<string, string>();
    for (const [partKey, text] of this.#store.list<string>({ prefix })) {
      const key = partKey.slice(0, partKey.lastIndexOf("/") + 1);
      texts.set(key, (texts.get(key) ?? "") + text);
    }
    // A cast at a boundary that only this class writes.
    return Array.from(texts, ([key, text]) => ({ key, entry: JSON.parse(text) as JournalEntry }));
  }
}
