import type { Handshake } from "./handshake.ts";
import { readHandshake, readRow, writeHandshake } from "./stored-format.ts";

/** Text, or bytes. */
export type RowValue = string | ArrayBuffer;

/** Rows by key. Whoever reads one knows which of the two it wrote. A write throws if the platform refuses it. */
export interface RowStore {
  get<Value extends RowValue>(key: string): Value | undefined;
  /** `key` holds nothing yet. */
  add(key: string, value: RowValue): void;
  /** Replaces what `key` holds, if it holds anything. */
  put(key: string, value: RowValue): void;
  delete(key: string): void;
  /** Those whose key begins with `prefix`, in the order of their keys. */
  list<Value extends RowValue>(options: { prefix: `${string}/` }): Iterable<[string, Value]>;
  /** Resolves once all that was written so far is on disk: it then outlives whatever kills the object. */
  sync(): Promise<void>;
}

const handshakeKey = "handshake";
const createTable =
  "CREATE TABLE IF NOT EXISTS session (key TEXT, part INTEGER, value, PRIMARY KEY (key, part)) WITHOUT ROWID";

/** The platform stores at most 2 MB in a row, all included. A UTF-16 unit takes at most three bytes of UTF-8. */
const maxPartBytes = 1_500_000;
const maxPartLength = maxPartBytes / 3;

interface RowsOptions {
  isNew?: boolean;
  beforeWrite?: () => void;
}

/**
 * All rows of a session. The first is its handshake, whose presence is the session: what somebody stores who never
 * initialized it would be found by nobody, so it is not stored.
 *
 * Storage: one table, `session`, with the rows `handshake`, `outbox/…`, `call/…`, `memory/…` and `watch`, each in as many
 * parts as it needs. Not the object's key-value store: that one compiles a dozen statements before its first row, which
 * takes a millisecond, holds them, and refuses a value that is too large.
 */
export class Rows implements RowStore {
  readonly #storage: DurableObjectStorage;
  readonly #beforeWrite: () => void;
  /** As it was found; `undefined`: this session has stored nothing. */
  readonly handshake: Handshake | undefined;
  #isEmpty: boolean;

  /**
   * `isNew`: there is nothing, and the database need not be opened. `beforeWrite` writes the handshake, if it is not written;
   * absent for an object that has no session, and stores something.
   * @throws {UnreadableRow} for a handshake that this version cannot read.
   */
  constructor(
    storage: DurableObjectStorage,
    { isNew = false, beforeWrite = () => this.#createTable() }: RowsOptions = {},
  ) {
    this.#storage = storage;
    this.#beforeWrite = beforeWrite;
    this.#isEmpty = isNew || !hasTable(storage.sql);
    const json = this.get<string>(handshakeKey);
    this.handshake = json === undefined ? undefined : readHandshake(handshakeKey, json);
  }

  /** Whether nothing is stored; then there is no alarm either. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  writeHandshake(handshake: Handshake): void {
    const json = writeHandshake(handshake);
    if (!this.#isEmpty) return this.#replace(handshakeKey, json);
    this.#createTable();
    this.#write(handshakeKey, json);
  }

  get<Value extends RowValue>(key: string): Value | undefined {
    if (this.#isEmpty) return undefined;
    const query = "SELECT value FROM session WHERE key = ? ORDER BY part";
    const parts = Array.from(this.#storage.sql.exec<{ value: Value }>(query, key), ({ value }) => value);
    // Of the same kind as its parts.
    return readRow(key, () => joinParts(parts)) as Value | undefined;
  }

  *list<Value extends RowValue>({ prefix }: { prefix: `${string}/` }): Iterable<[string, Value]> {
    if (this.#isEmpty) return;
    // All end in a slash, behind which this comes.
    const end = `${prefix.slice(0, -1)}0`;
    const query = "SELECT key FROM session WHERE key >= ? AND key < ? AND part = 0 ORDER BY key";
    for (const { key } of this.#storage.sql.exec<{ key: string }>(query, prefix, end).toArray()) {
      const value = this.get<Value>(key);
      if (value !== undefined) yield [key, value];
    }
  }

  add(key: string, value: RowValue): void {
    this.#beforeWrite();
    if (!this.#isEmpty) this.#write(key, value);
  }

  put(key: string, value: RowValue): void {
    this.#beforeWrite();
    if (!this.#isEmpty) this.#replace(key, value);
  }

  delete(key: string): void {
    this.#deleteFrom(key, 0);
  }

  sync(): Promise<void> {
    return this.#storage.sync();
  }

  /** Leaves nothing behind, the alarm included (compatibility flag `delete_all_deletes_alarm`); from now on nothing is stored. */
  async deleteAll(): Promise<void> {
    this.#isEmpty = true;
    await this.#storage.deleteAll();
  }

  #createTable(): void {
    if (this.#isEmpty) this.#storage.sql.exec(createTable);
    this.#isEmpty = false;
  }

  #replace(key: string, value: RowValue): void {
    const query = "SELECT 1 FROM session WHERE key = ? AND part = 1";
    this.#write(key, value, { hadParts: this.#storage.sql.exec(query, key).toArray().length > 0 });
  }

  /** All parts, or none: the platform may refuse any. `hadParts`: the value that it replaces has more than one. */
  #write(key: string, value: RowValue, { hadParts } = { hadParts: false }): void {
    const parts = partsOf(value);
    const write = (): void => {
      for (const [index, part] of parts.entries()) {
        this.#storage.sql.exec("INSERT OR REPLACE INTO session VALUES (?, ?, ?)", key, index, part);
      }
      if (hadParts) this.#deleteFrom(key, parts.length);
    };
    if (parts.length > 1 || hadParts) this.#storage.transactionSync(write);
    else write();
  }

  #deleteFrom(key: string, part: number): void {
    if (!this.#isEmpty) this.#storage.sql.exec("DELETE FROM session WHERE key = ? AND part >= ?", key, part);
  }
}

/** Of a session that nobody is to find any more. */
export function dropRows(sql: SqlStorage): void {
  sql.exec("DROP TABLE IF EXISTS session");
}

function hasTable(sql: SqlStorage): boolean {
  return sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'session'").toArray().length > 0;
}

function partsOf(value: RowValue): RowValue[] {
  const [length, maxLength] =
    typeof value === "string" ? [value.length, maxPartLength] : [value.byteLength, maxPartBytes];
  if (length <= maxLength) return [value];
  const parts: RowValue[] = [];
  for (let at = 0; at < length;) {
    const end = typeof value === "string" ? endOfText(value, at + maxLength) : at + maxLength;
    parts.push(value.slice(at, end));
    at = end;
  }
  return parts;
}

/** `end`, or one before it: a character of two units stays whole, half of one is not text. */
function endOfText(text: string, end: number): number {
  return (text.codePointAt(end - 1) ?? 0) > 0xff_ff ? end - 1 : end;
}

/** `undefined` if there are none. */
function joinParts(parts: RowValue[]): RowValue | undefined {
  const [first] = parts;
  if (parts.length <= 1) return first;
  // All are of the kind of the first: they were one value.
  if (typeof first === "string") return (parts as string[]).join("");
  const pieces = parts as ArrayBuffer[];
  const whole = new Uint8Array(pieces.reduce((total, { byteLength }) => total + byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(new Uint8Array(piece), at);
    at += piece.byteLength;
  }
  return whole.buffer;
}
