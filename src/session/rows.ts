import type { Handshake } from "./handshake.ts";

/** Text, or bytes; at most 2 MB with its key. */
export type RowValue = string | ArrayBuffer;

/** Rows by key. */
export interface RowStore {
  get<Value extends RowValue>(key: string): Value | undefined;
  put(key: string, value: RowValue): void;
  delete(key: string): void;
  /** Those whose key begins with `prefix`, in the order of their keys. */
  list<Value extends RowValue>(options: { prefix: string }): Iterable<[string, Value]>;
}

const handshakeKey = "handshake";

/**
 * All rows of a session. The first is its handshake, whose presence is the session: what somebody stores who never
 * initialized it would be found by nobody, so it is not stored.
 *
 * Storage: one table, `session`, with the rows `handshake`, `outbox/…`, `call/…`, `memory/…` and `watch`. Not the object's
 * key-value store: that one compiles a dozen statements before its first row, which takes a millisecond, and holds them.
 */
export class Rows implements RowStore {
  readonly #sql: SqlStorage;
  readonly #beforePut: () => void;
  /** As it was found; `undefined`: this session has stored nothing. */
  readonly handshake: Handshake | undefined;
  #isEmpty: boolean;

  /** `isNew`: there is nothing, and the database need not be opened. `beforePut` writes the handshake, if it is not written. */
  constructor(sql: SqlStorage, { isNew, beforePut }: { isNew: boolean; beforePut: () => void }) {
    this.#sql = sql;
    this.#beforePut = beforePut;
    this.#isEmpty = isNew || sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'session'").next().done === true;
    const json = this.get<string>(handshakeKey);
    // A cast at a boundary that only `writeHandshake` writes.
    this.handshake = json === undefined ? undefined : (JSON.parse(json) as Handshake);
  }

  writeHandshake(handshake: Handshake): void {
    if (this.#isEmpty) this.#sql.exec("CREATE TABLE session (key TEXT PRIMARY KEY, value) WITHOUT ROWID");
    this.#isEmpty = false;
    this.#write(handshakeKey, JSON.stringify(handshake));
  }

  get<Value extends RowValue>(key: string): Value | undefined {
    if (this.#isEmpty) return undefined;
    const [row] = this.#sql.exec<{ value: Value }>("SELECT value FROM session WHERE key = ?", key);
    return row?.value;
  }

  list<Value extends RowValue>({ prefix }: { prefix: string }): Iterable<[string, Value]> {
    if (this.#isEmpty) return [];
    const end = prefix.slice(0, -1) + String.fromCodePoint((prefix.codePointAt(prefix.length - 1) ?? 0) + 1);
    return this.#sql
      .exec("SELECT key, value FROM session WHERE key >= ? AND key < ? ORDER BY key", prefix, end)
      .raw<[string, Value]>();
  }

  put(key: string, value: RowValue): void {
    this.#beforePut();
    if (!this.#isEmpty) this.#write(key, value);
  }

  delete(key: string): void {
    if (!this.#isEmpty) this.#sql.exec("DELETE FROM session WHERE key = ?", key);
  }

  #write(key: string, value: RowValue): void {
    this.#sql.exec("INSERT OR REPLACE INTO session VALUES (?, ?)", key, value);
  }
}
