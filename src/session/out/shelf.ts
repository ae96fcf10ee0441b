import { attempt } from "../stored/attempt.ts";
import { isObject } from "../../protocol/json-rpc.ts";
import { utf8 } from "../../protocol/utf8.ts";
import { join, packedAgain, plainFrame, split } from "../../link/link.ts";
import type { SentMessage } from "./sent-message.ts";
import type { RowStore } from "../stored/rows.ts";
import { readRow } from "../stored/stored-format.ts";

const prefix = "outbox/";
/** Above that a burst is written as more than one, bytes: what is in one is read, and deleted, together. */
const maxBurstBytes = 1_000_000;

/**
 * Where the messages of an outbox lie that are written down: rows `outbox/…`, each a burst of messages. Their bytes are in
 * the row only, and read when they are sent again.
 *
 * Storage: those rows. Cost: one row for a burst. Lifetime: a row's, until none of its messages is needed any more.
 */
export class Shelf {
  readonly #store: RowStore;
  /** The rows a message is in, and how many living messages are in a row: an empty row is deleted. */
  readonly #rowsOf = new Map<number, string[]>();
  readonly #living = new Map<string, number>();
  /** Rows without a living message. They go when there is time: whoever sends a large answer should not wait for that. */
  readonly #emptyRows = new Set<string>();
  /** The row that was read last, in this turn: the next message that is sent again is probably in it, too. */
  #opened: { key: string; frames: Map<number, Uint8Array> } | undefined;

  constructor(store: RowStore) {
    this.#store = store;
  }

  /**
   * What an earlier run of the object wrote, in the order of its rows, without its bytes.
   * @throws {UnreadableRow} for what this version cannot read.
   */
  *load(): Iterable<SentMessage> {
    for (const [key, burst] of this.#store.list<ArrayBuffer>({ prefix })) {
      for (const { plain, ...head } of readRow(key, () => unpackBurst(burst))) {
        this.#note(head.sequence, key);
        yield { ...head, packed: undefined, bytes: plain.byteLength + 1 };
      }
    }
  }

  /**
   * Writes `messages` down and lets go of their bytes.
   * @throws if the platform refuses a write; messages whose bytes are left were not written.
   */
  put(messages: Iterable<SentMessage>): void {
    let burst: SentMessage[] = [];
    let burstBytes = 0;
    for (const message of messages) {
      if (burstBytes + message.bytes > maxBurstBytes) {
        this.#putBurst(burst);
        burst = [];
        burstBytes = 0;
      }
      burst.push(message);
      burstBytes += message.bytes;
    }
    this.#putBurst(burst);
  }

  /** The bytes of a message that was written down. Empty if its row is gone: nothing deletes it before its messages. */
  packedOf(sequence: number): Uint8Array {
    const key = this.#rowsOf.get(sequence)?.at(-1);
    if (key === undefined) return new Uint8Array();
    if (this.#opened?.key !== key) {
      const burst = this.#store.get<ArrayBuffer>(key);
      const messages = burst === undefined ? [] : unpackBurst(burst);
      this.#opened = { key, frames: new Map(messages.map((message) => [message.sequence, message.plain])) };
      queueMicrotask(() => (this.#opened = undefined));
    }
    return packedAgain(this.#opened.frames.get(sequence) ?? new Uint8Array());
  }

  /** A message is not needed any more. */
  forget(sequence: number): void {
    for (const key of this.#rowsOf.get(sequence) ?? []) {
      const living = (this.#living.get(key) ?? 1) - 1;
      this.#living.set(key, living);
      if (living > 0) continue;
      this.#living.delete(key);
      this.#emptyRows.add(key);
    }
    this.#rowsOf.delete(sequence);
  }

  deleteEmptyRows(): void {
    for (const key of this.#emptyRows) if (attempt(() => this.#store.delete(key))) this.#emptyRows.delete(key);
  }

  #putBurst(burst: SentMessage[]): void {
    const [first] = burst;
    if (first === undefined) return;
    const key = this.#freeKey(first.sequence);
    // A row of this name may have been read, and deleted since.
    this.#opened = undefined;
    this.#store.add(key, packBurst(burst));
    for (const message of burst) {
      this.#note(message.sequence, key);
      message.packed = undefined;
    }
  }

  /** A row is never overwritten: it may hold others than the message that it is named after, which came back since. */
  #freeKey(sequence: number): string {
    const name = prefix + String(sequence).padStart(16, "0");
    let key = name;
    for (let copy = 1; this.#living.has(key); copy++) key = `${name}.${copy}`;
    return key;
  }

  #note(sequence: number, key: string): void {
    this.#rowsOf.set(sequence, [...(this.#rowsOf.get(sequence) ?? []), key]);
    this.#living.set(key, (this.#living.get(key) ?? 0) + 1);
  }
}

/** What the messages say of themselves, as JSON, and then their frames. */
function packBurst(messages: SentMessage[]): ArrayBuffer {
  const heads = JSON.stringify(messages.map((message) => ({ ...message, packed: undefined, bytes: undefined })));
  const frames = messages.map(({ packed }) => plainFrame(packed ?? new Uint8Array()));
  return join([utf8(heads), ...frames]).buffer;
}

/** As they were written: their frames are plain, see `plainFrame`. */
export function unpackBurst(burst: ArrayBuffer): (Omit<SentMessage, "packed" | "bytes"> & { plain: Uint8Array })[] {
  const [heads, ...frames] = split(burst);
  const parsed: unknown = JSON.parse(new TextDecoder().decode(heads));
  if (!Array.isArray(parsed)) throw new TypeError("it has no heads");
  return parsed.map((head: unknown, index) => {
    const plain = frames[index];
    if (!isHead(head) || plain === undefined) throw new TypeError("it lacks a member");
    return { ...head, plain };
  });
}

function isHead(head: unknown): head is Omit<SentMessage, "packed" | "bytes"> {
  return isObject(head) && Number.isSafeInteger(head["sequence"]) && typeof head["stream"] === "string";
}
