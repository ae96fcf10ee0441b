import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Rows } from "../../src/session/stored/rows.ts";

export interface MemoryRows {
  rows: Rows;
  /** What is stored, part by part. */
  stored(): (string | ArrayBuffer)[];
  /** The same rows, as the next object of the session finds them. */
  again(): Rows;
  /** After the next `after` writes, each is refused until this is called again. */
  refuseWrites(after: number): void;
}

/** The rows of a session that has been initialized, in a database in memory. */
export function memoryRows(): MemoryRows {
  const database = new DatabaseSync(":memory:");
  let left = Number.POSITIVE_INFINITY;
  const sql = sqlOver(database, () => {
    if (left-- <= 0) throw new Error("Exceeded allowed rows written");
  });
  const storage = { sql, transactionSync: (write: () => void) => inTransaction(database, write) };
  const open = (isNew: boolean): Rows =>
    new Rows(storage as DurableObjectStorage, { isNew, beforeWrite: () => undefined });
  const rows = open(true);
  rows.writeHandshake({ lane: "sse", subscriptions: [] });
  const query = "SELECT value FROM session WHERE key <> 'handshake'";
  const stored = (): (string | ArrayBuffer)[] =>
    sql
      .exec<{ value: string | ArrayBuffer }>(query)
      .toArray()
      .map(({ value }) => value);
  return { rows, stored, again: () => open(false), refuseWrites: (after) => (left = after) };
}

/** All that `write` writes, or nothing if it throws. */
function inTransaction(database: DatabaseSync, write: () => void): void {
  database.exec("SAVEPOINT synchronous");
  try {
    write();
  } catch (error) {
    database.exec("ROLLBACK TO synchronous");
    throw error;
  } finally {
    database.exec("RELEASE synchronous");
  }
}

/** A Durable Object's SQL, as far as it is used here. `onWrite` is called before each write. */
function sqlOver(database: DatabaseSync, onWrite: () => void): SqlStorage {
  const exec = (query: string, ...bindings: (SQLInputValue | ArrayBuffer)[]) => {
    if (!query.startsWith("SELECT")) onWrite();
    const inputs = bindings.map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value));
    const found = database
      .prepare(query)
      .all(...inputs)
      .map((row) => mapped(row));
    return Object.assign(found.values(), { toArray: () => found });
  };
  return { exec } as unknown as SqlStorage;
}

/** Bytes are an ArrayBuffer there. */
function mapped(row: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(row).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? new Uint8Array(value).buffer : value,
  ]);
  return Object.fromEntries(entries);
}
