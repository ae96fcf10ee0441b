import type { RowStore, RowValue } from "../../src/session/rows.ts";

/** Rows as a session has them, in this process. */
export function memoryRows(): RowStore & { rows: Map<string, RowValue> } {
  const rows = new Map<string, RowValue>();
  // Bytes are copied on the way in and out, as by a database.
  const copyOf = <Value extends RowValue>(value: Value | undefined): Value | undefined => structuredClone(value);
  return {
    rows,
    // Whoever reads a row knows what it wrote.
    get: <Value extends RowValue>(key: string) => copyOf(rows.get(key)) as Value | undefined,
    put: (key, value) => void rows.set(key, structuredClone(value)),
    delete: (key) => void rows.delete(key),
    list: <Value extends RowValue>({ prefix }: { prefix: string }) =>
      [...rows]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => [key, copyOf(value)] as [string, Value]),
  };
}
