import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Rows } from "../../src/session/rows.ts";

export interface MemoryRows {
  rows: Rows;
  /** What is stored, part by part. */
  stored(): (string | ArrayBuffer)[];
  /** The same rows, as the next object of the session finds them. */
  again(): Rows;
}

/** The rows of a session that has been initialized, in a database in memory. */
export function memoryRows(): MemoryRows {
  const database = new DatabaseSync(":memory:");
  const sql = sqlOver(database);
  const open = (isNew: boolean): Rows =>
    new Rows({ sql } as DurableObjectStorage, { isNew, beforeWrite: () => undefined });
  const rows = open(true);
  rows.writeHandshake({ lane: "sse", subscriptions: [] });
  const query = "SELECT value FROM session WHERE key <> 'handshake'";
  const stored = (): (string | ArrayBuffer)[] =>
    sql
      .exec<{ value: string | ArrayBuffer }>(query)
      .toArray()
      .map(({ value }) => value);
  return { rows, stored, again: () => open(false) };
}

/** A Durable Object's SQL, as far as it is used here. */
function sqlOver(database: DatabaseSync): SqlStorage {
  const exec = (query: string, ...bindings: (SQLInputValue | ArrayBuffer)[]) => {
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
