import { lengthBytes, split } from "../link/link.ts";

/** What all relays of one isolate may hold together, bytes: a quarter of what it may take. */
const maxHeldBytes = 32 * 1024 * 1024;

/** The room that small frames share, at first and at most, bytes. */
const minBlockBytes = 1024;
const maxBlockBytes = 16 * 1024;

/**
 * Frames one after the other, each behind its length, which are let go together: one by one, thousands of them would be
 * the garbage collector's work. A large frame is its own block, and is not copied; so is the first, which in most streams
 * is the only one for a while.
 */
interface Block {
  bytes: DataView<ArrayBuffer>;
  usedBytes: number;
  lastSequence: number;
  /** Whether it is one frame, without a length before it. */
  isOne: boolean;
}

/** How much the relays hold. A relay that is torn down without a word is collected, and its share with it. */
let heldBytes = 0;
const tornDown = new FinalizationRegistry<{ bytes: number }>((share) => (heldBytes -= share.bytes));

/**
 * Answers and news that a relay wrote for its client and that only the memory of the object has: it gets them back if it
 * crashes. The object says how far its rows have them, and they are held no longer.
 *
 * Storage: none. Lifetime: a frame's, until the object has it in a row. Loses: none; beyond its bounds the object is told
 * to write at once.
 */
export class HeldFrames {
  readonly #maxBytes: number;
  readonly #share = { bytes: 0 };
  #blocks: Block[] = [];

  /** `maxBytes`: what the object itself keeps. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    tornDown.register(this, this.#share);
  }

  /** False if there is no room. */
  add(packed: ArrayBuffer, sequence: number): boolean {
    const block = this.#blockFor(packed);
    if (block === undefined) return false;
    block.lastSequence = sequence;
    if (block.isOne) return true;
    block.bytes.setUint32(block.usedBytes, packed.byteLength);
    new Uint8Array(block.bytes.buffer).set(new Uint8Array(packed), block.usedBytes + lengthBytes);
    block.usedBytes += lengthBytes + packed.byteLength;
    return true;
  }

  /** The object has all up to `sequence` in its rows. Some of them may stay, beside others in their block. */
  release(sequence: number): void {
    for (let [first] = this.#blocks; first !== undefined && first.lastSequence <= sequence; [first] = this.#blocks) {
      this.#blocks.shift();
      this.#take(-first.bytes.byteLength);
    }
  }

  /** All, in order. */
  all(): Uint8Array[] {
    return this.#blocks.flatMap(framesIn);
  }

  clear(): void {
    this.release(Infinity);
  }

  /** The block that is to hold `packed`: itself, if it is large. `undefined` if there is no room for one. */
  #blockFor(packed: ArrayBuffer): Block | undefined {
    const last = this.#blocks.at(-1);
    const neededBytes = lengthBytes + packed.byteLength;
    const isOne = last === undefined || neededBytes > maxBlockBytes;
    if (!isOne && last.usedBytes + neededBytes <= last.bytes.byteLength) return last;
    const grownBytes = last === undefined || last.isOne ? 0 : Math.min(2 * last.bytes.byteLength, maxBlockBytes);
    const bytes = isOne ? packed.byteLength : Math.max(minBlockBytes, grownBytes, neededBytes);
    if (this.#share.bytes + bytes > this.#maxBytes || heldBytes + bytes > maxHeldBytes) return undefined;
    const buffer = isOne ? packed : new ArrayBuffer(bytes);
    const block = { bytes: new DataView(buffer), usedBytes: isOne ? bytes : 0, lastSequence: 0, isOne };
    this.#blocks.push(block);
    this.#take(bytes);
    return block;
  }

  #take(bytes: number): void {
    this.#share.bytes += bytes;
    heldBytes += bytes;
  }
}

function framesIn({ bytes, usedBytes, isOne }: Block): Uint8Array[] {
  return isOne ? [new Uint8Array(bytes.buffer)] : split(bytes.buffer, usedBytes);
}
