import { lengthBytes, split } from "../session/joined.ts";
import { maxAttachedBytes } from "../session/streams.ts";

/**
 * How long a copy is kept at least: longer than an object takes to put the original somewhere safe, milliseconds. What it
 * keeps with its socket goes with it when it crashes, so the copies of as much are kept until others take their place.
 */
const keptMs = 10_000;

/** A relay looks after its copies at every keep-alive. One that has not for so long is no more, milliseconds. */
const goneMs = 60_000;

/** What all relays of one isolate may hold together, bytes: a quarter of what it may take. */
const maxHeldBytes = 32 * 1024 * 1024;

/** The room that copies of small messages share, at first and at most, bytes. */
const minBlockBytes = 1024;
const maxBlockBytes = 16 * 1024;

/**
 * Copies made one after the other, each behind its length, and forgotten together: one by one, thousands of them would be
 * the garbage collector's work. A large message is its own block, and is not copied; so is the first, which in most
 * streams is the only one for a while.
 */
interface Block {
  bytes: DataView<ArrayBuffer>;
  usedBytes: number;
  lastAtMs: number;
  /** Whether it is one message, without a length before it. */
  isOne: boolean;
}

let heldBytes = 0;
/** Those that hold anything. One whose relay was torn down without a word stays here until room is needed. */
const holders = new Set<Copies>();

/**
 * What a relay wrote for its client lately, should the object crash before it has put it somewhere safe; the client may be
 * gone by then, too.
 *
 * Storage: none. Lifetime: ten seconds, that of the newest the stream's. Loses: the oldest, beyond what the object itself
 * keeps.
 */
export class Copies {
  readonly #maxBytes: number;
  #blocks: Block[] = [];
  #usedBytes = 0;
  #lookedAfterAtMs = 0;

  /** `maxBytes`: what the object itself keeps. A notification may be longer. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False if there is no room: then the object must see to it by itself. */
  add(packed: ArrayBuffer, nowMs: number): boolean {
    this.dropOld(nowMs);
    if (packed.byteLength > this.#maxBytes) return false;
    for (let [first] = this.#blocks; first !== undefined; [first] = this.#blocks) {
      // Without it, there are still as many as the object keeps.
      if (this.#usedBytes - first.usedBytes + packed.byteLength < this.#maxBytes) break;
      this.#dropFirst();
    }
    const block = this.#blockFor(packed, nowMs);
    if (block === undefined) return false;
    block.lastAtMs = nowMs;
    if (block.isOne) return true;
    block.bytes.setUint32(block.usedBytes, packed.byteLength);
    new Uint8Array(block.bytes.buffer).set(new Uint8Array(packed), block.usedBytes + lengthBytes);
    block.usedBytes += lengthBytes + packed.byteLength;
    this.#usedBytes += lengthBytes + packed.byteLength;
    return true;
  }

  /** All, in order. */
  all(): Uint8Array[] {
    return this.#blocks.flatMap(copiesIn);
  }

  dropOld(nowMs: number): void {
    this.#lookedAfterAtMs = nowMs;
    this.#dropOld(nowMs);
  }

  /** Drops, for the sake of another, what its own relay would. */
  makeRoom(nowMs: number): void {
    if (this.#lookedAfterAtMs < nowMs - goneMs) this.clear();
    else this.#dropOld(nowMs);
  }

  clear(): void {
    while (this.#blocks.length > 0) this.#dropFirst();
  }

  /** The block that is to hold `packed`: itself, if it is large. `undefined` if there is no room for one. */
  #blockFor(packed: ArrayBuffer, nowMs: number): Block | undefined {
    const last = this.#blocks.at(-1);
    const neededBytes = lengthBytes + packed.byteLength;
    const isOne = last === undefined || neededBytes > maxBlockBytes;
    if (!isOne && last !== undefined && last.usedBytes + neededBytes <= last.bytes.byteLength) return last;
    const grownBytes = last === undefined || last.isOne ? 0 : Math.min(2 * last.bytes.byteLength, maxBlockBytes);
    const bytes = isOne ? packed.byteLength : Math.max(minBlockBytes, grownBytes, neededBytes);
    if (!hasRoom(bytes, nowMs)) return undefined;
    const usedBytes = isOne ? bytes : 0;
    const block = { bytes: new DataView(isOne ? packed : new ArrayBuffer(bytes)), usedBytes, lastAtMs: nowMs, isOne };
    this.#blocks.push(block);
    this.#usedBytes += usedBytes;
    heldBytes += bytes;
    holders.add(this);
    return block;
  }

  #dropOld(nowMs: number): void {
    const isOld = ({ lastAtMs }: Block): boolean => lastAtMs < nowMs - keptMs;
    let oldBytes = 0;
    for (const block of this.#blocks) {
      if (!isOld(block)) break;
      oldBytes += block.usedBytes;
    }
    for (let [first] = this.#blocks; first !== undefined && isOld(first); [first] = this.#blocks) {
      const { isOne, usedBytes } = first;
      // With more than that at once, the object has put all of it somewhere else.
      if (oldBytes - (isOne ? 0 : usedBytes) <= maxAttachedBytes) return;
      oldBytes -= usedBytes;
      this.#dropFirst();
    }
  }

  #dropFirst(): void {
    const first = this.#blocks.shift();
    if (first === undefined) return;
    this.#usedBytes -= first.usedBytes;
    heldBytes -= first.bytes.byteLength;
    if (this.#blocks.length === 0) holders.delete(this);
  }
}

function copiesIn({ bytes, usedBytes, isOne }: Block): Uint8Array[] {
  return isOne ? [new Uint8Array(bytes.buffer)] : split(bytes.buffer, usedBytes);
}

function hasRoom(bytes: number, nowMs: number): boolean {
  if (heldBytes + bytes > maxHeldBytes) for (const holder of holders) holder.makeRoom(nowMs);
  return heldBytes + bytes <= maxHeldBytes;
}
