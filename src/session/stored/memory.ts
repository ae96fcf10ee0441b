import { checkEntry, checkText, type Whose } from "../../protocol/json-value.ts";
import { loggedName } from "../../protocol/logged-name.ts";
import { toJson } from "../../protocol/message-json.ts";
import { utf8Bytes } from "../../protocol/utf8.ts";
import type { SessionMemory, UserMemory } from "../../server-context.ts";
import type { RowStore, RowValue } from "./rows.ts";

type MemoryStore = Omit<RowStore, "add" | "sync">;

const prefix = "memory/";

/**
 * The memory of one session, in its object's SQLite.
 *
 * Storage: a row `memory/<key>` for each key, JSON text. Cost: one row written for each `set`. Lifetime: the session's.
 */
export function storedMemory(store: RowStore, maxMemoryBytes: number, onWrite: () => void): SessionMemory {
  return memoryOver(store, { maxMemoryBytes, onWrite, of: "session" });
}

/** The memory of one user, in the SQLite of an object that has no session. Lifetime: until it is cleared. */
export function storedUserMemory(store: RowStore, maxMemoryBytes: number): SessionMemory {
  return memoryOver(store, { maxMemoryBytes, of: "user" });
}

/** The same memory in this process, for stdio, where the process is the session. */
export function processMemory(maxMemoryBytes = 1024 * 1024, of: MemoryOptions["of"] = "session"): SessionMemory {
  const rows = new Map<string, RowValue>();
  const store: MemoryStore = {
    // The map holds what memoryOver puts there, which is text.
    get: <Value extends RowValue>(key: string) => rows.get(key) as Value | undefined,
    put: (key, value) => void rows.set(key, value),
    delete: (key) => void rows.delete(key),
    list: <Value extends RowValue>() => [...rows].sort(([a], [b]) => (a < b ? -1 : 1)) as [string, Value][],
  };
  return memoryOver(store, { maxMemoryBytes, of });
}

/** The memory of the user of this process, who started it. */
export function processUserMemory(): UserMemory {
  const memory = processMemory(undefined, "user");
  // As on the edge, where all of it takes time, and faults are rejections.
  return {
    get: async (key) => memory.get(key),
    set: async (key, value) => memory.set(key, value),
    delete: async (key) => memory.delete(key),
    keys: async () => memory.keys(),
    async clear() {
      for (const key of memory.keys()) memory.delete(key);
    },
  };
}

interface MemoryOptions {
  maxMemoryBytes: number;
  of: Whose;
  onWrite?: () => void;
}

function memoryOver(store: MemoryStore, { maxMemoryBytes, of, onWrite }: MemoryOptions): SessionMemory {
  let used: number | undefined;
  const measure = (): number => {
    let total = 0;
    for (const [key, text] of store.list<string>({ prefix })) total += utf8Bytes(key + text) - prefix.length;
    return total;
  };
  // SQLite would take half a character for U+FFFD, and find what is stored under that.
  const find = (key: string): string | undefined => {
    checkText(of, key);
    return key.isWellFormed() ? store.get<string>(prefix + key) : undefined;
  };
  const sizeOf = (key: string): number => {
    const text = find(key);
    return text === undefined ? 0 : utf8Bytes(key + text);
  };
  return {
    get(key) {
      const text = find(key);
      try {
        return text === undefined ? undefined : JSON.parse(text);
      } catch (fault) {
        // It would be unreadable each time that the key is asked for.
        const error = `the row ${prefix}${loggedName(key)} cannot be read: ${String(fault)}. It is deleted.`;
        console.error(JSON.stringify({ event: "unreadable", error }));
        this.delete(key);
        return undefined;
      }
    },
    set(key, value) {
      checkEntry(of, key, value);
      const text = toJson(value);
      const usedAfter = (used ??= measure()) - sizeOf(key) + utf8Bytes(key + text);
      if (usedAfter > maxMemoryBytes) {
        throw new RangeError(`The ${of}'s memory is full: it holds ${maxMemoryBytes} bytes in all.`);
      }
      onWrite?.();
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
