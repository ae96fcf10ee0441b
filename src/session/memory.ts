import type { SessionMemory } from "../server-context.ts";
import type { RowStore, RowValue } from "./rows.ts";

type MemoryStore = Omit<RowStore, "add" | "sync">;

const prefix = "memory/";

/**
 * The memory of one session, in its object's SQLite.
 *
 * Storage: a row `memory/<key>` for each key, JSON text. Cost: one row written for each `set`. Lifetime: the session's.
 */
export function storedMemory(store: RowStore, maxMemoryBytes: number, onWrite: () => void): SessionMemory {
  return memoryOver(store, maxMemoryBytes, onWrite);
}

/** The same memory in this process, for stdio, where the process is the session. */
export function processMemory(maxMemoryBytes = 1024 * 1024): SessionMemory {
  const rows = new Map<string, RowValue>();
  const store: MemoryStore = {
    // The map holds what memoryOver puts there, which is text.
    get: <Value extends RowValue>(key: string) => rows.get(key) as Value | undefined,
    put: (key, value) => void rows.set(key, value),
    delete: (key) => void rows.delete(key),
    list: <Value extends RowValue>() => [...rows].sort(([a], [b]) => (a < b ? -1 : 1)) as [string, Value][],
  };
  return memoryOver(store, maxMemoryBytes, () => undefined);
}

function memoryOver(store: MemoryStore, maxMemoryBytes: number, onWrite: () => void): SessionMemory {
  let used: number | undefined;
  const measure = (): number => {
    let total = 0;
    for (const [key, text] of store.list<string>({ prefix })) total += key.length - prefix.length + text.length;
    return total;
  };
  const sizeOf = (key: string): number => {
    const text = store.get<string>(prefix + key);
    return text === undefined ? 0 : key.length + text.length;
  };
  return {
    get(key) {
      const text = store.get<string>(prefix + key);
      return text === undefined ? undefined : JSON.parse(text);
    },
    set(key, value) {
      const text: string | undefined = JSON.stringify(value);
      if (text === undefined) throw new RangeError(`The session's memory holds JSON; ${typeof value} is not.`);
      const usedAfter = (used ??= measure()) - sizeOf(key) + key.length + text.length;
      if (usedAfter > maxMemoryBytes) {
        throw new RangeError(`The session's memory is full: it holds ${maxMemoryBytes} bytes in all.`);
      }
      onWrite();
      store.put(prefix + key, text);
      used = usedAfter;
    },
    delete(key) {
      const freed = sizeOf(key);
      if (freed === 0) return false;
      store.delete(prefix + key);
      if (used !== undefined) used -= freed;
      return true;
    },
    keys() {
      return Array.from(store.list({ prefix }), ([key]) => key.slice(prefix.length));
    },
  };
}
