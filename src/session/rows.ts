import type { Handshake } from "./handshake.ts";
import type { KeyValueStore } from "./outbox.ts";

/**
 * All rows of a session. The first is its handshake, whose presence is the session: until it is written there is nothing to
 * read, and whatever is written comes behind it.
 *
 * Storage: a table `handshake` of one row, because all sessions have it and few have any other: the key-value store compiles
 * a dozen statements before it writes a row, and an object in memory holds all of them. The others are in that store:
 * `outbox/…`, `call/…`, `memory/…` and `watch`.
 */
export class Rows implements KeyValueStore {
  readonly #storage: DurableObjectStorage;
  readonly #beforePut: () => void;
  /** As it was found; `undefined`: this session has stored nothing. */
  readonly handshake: Handshake | undefined;
  #isEmpty: boolean;

  /** `isNew`: there is nothing, and the database need not be opened. `beforePut` writes the handshake, if it is not written. */
  constructor(storage: DurableObjectStorage, { isNew, beforePut }: { isNew: boolean; beforePut: () => void }) {
    this.#storage = storage;
    this.#beforePut = beforePut;
    this.handshake = isNew ? undefined : readHandshake(storage.sql);
    this.#isEmpty = this.handshake === undefined;
  }

  writeHandshake(handshake: Handshake): void {
    const { sql } = this.#storage;
    sql.exec("CREATE TABLE IF NOT EXISTS handshake (json)");
    sql.exec("INSERT OR REPLACE INTO handshake (rowid, json) VALUES (1, ?)", JSON.stringify(handshake));
    this.#isEmpty = false;
  }

  get<T>(key: string): T | undefined {
    return this.#isEmpty ? undefined : this.#storage.kv.get<T>(key);
  }

  list<T>(options: { prefix: string }): Iterable<[string, T]> {
    return this.#isEmpty ? [] : this.#storage.kv.list<T>(options);
  }

  put(key: string, value: unknown): void {
    this.#beforePut();
    this.#storage.kv.put(key, value);
  }

  delete(key: string): boolean {
    return this.#storage.kv.delete(key);
  }
}

function readHandshake(sql: SqlStorage): Handshake | undefined {
  const [table] = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'handshake'");
  const [row] = table === undefined ? [] : sql.exec<{ json: string }>("SELECT json FROM handshake");
  // A cast at a boundary that only `writeHandshake` writes.
  return row === undefined ? undefined : (JSON.parse(row.json) as Handshake);
}
