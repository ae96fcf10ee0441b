import { isJSONRPCRequest, type JSONRPCRequest } from "@modelcontextprotocol/server";
import { isObject } from "../../protocol/json-rpc.ts";
import { attempt } from "../stored/attempt.ts";
import type { RowStore } from "../stored/rows.ts";
import { isStoredRequest, type StoredRequest } from "./stored-request.ts";
import { readRow } from "../stored/stored-format.ts";

/**
 * A request that was accepted and is not answered yet, with all that is needed to run it again, and the HTTP request that
 * brought it.
 */
export interface JournalEntry extends StoredRequest {
  request: JSONRPCRequest;
  /** The stream of the session on which the answer goes out. */
  stream: string;
  /** How often it has been run again; absent: never. */
  reruns?: number;
}

const prefix = "call/";

/**
 * The requests that a client was told are accepted, so that none vanishes with the object.
 *
 * Storage: rows `call/…`, one a request. Cost: one row written and one deleted for each request
 * that takes longer than `journalAfterMs`, one written each time that it is run again; none for the others.
 * Lifetime: from acceptance to answer.
 */
export class Journal {
  readonly #store: RowStore;
  #count = 0;

  /** @throws {UnreadableRow} if an earlier run of the object left what this version cannot read. */
  constructor(store: RowStore) {
    this.#store = store;
    this.interrupted();
  }

  /**
   * Writes `entry` down and returns the key to {@linkcode remove} it by.
   * @throws if the platform refuses the write.
   */
  add(entry: JournalEntry, sequence: number): string {
    const key = `${prefix}${String(sequence).padStart(16, "0")}.${this.#count++}`;
    this.#store.add(key, JSON.stringify(entry));
    return key;
  }

  /**
   * Counts a rerun of `entry`, which is at `key`. To be done before it, and {@linkcode sync} awaited.
   * @throws if the platform refuses the write.
   */
  countRerun(key: string, entry: JournalEntry): void {
    const reruns = (entry.reruns ?? 0) + 1;
    this.#store.put(key, JSON.stringify({ ...entry, reruns }));
  }

  sync(): Promise<void> {
    return this.#store.sync();
  }

  remove(key: string): void {
    attempt(() => this.#store.delete(key));
  }

  /** What an earlier run of this object left unanswered, oldest first. */
  interrupted(): { key: string; entry: JournalEntry }[] {
    const entries = this.#store.list<string>({ prefix });
    return Array.from(entries, ([key, text]) => ({ key, entry: readRow(key, () => readEntry(JSON.parse(text))) }));
  }
}

function readEntry(entry: unknown): JournalEntry {
  if (!isObject(entry)) throw new TypeError("it is no object");
  const { request, stream, reruns = 0 } = entry;
  const isWhole = isJSONRPCRequest(request) && typeof stream === "string" && Number.isFinite(reruns);
  if (!isWhole || !isStoredRequest(entry)) throw new TypeError("it lacks a member");
  // Checked, member by member.
  return entry as unknown as JournalEntry;
}
