/** How long a copy is kept: longer than an object takes to put the original somewhere safe, milliseconds. */
const keptMs = 10_000;

/** What all relays of one isolate may hold together, bytes: a quarter of what it may take. */
const maxHeldBytes = 32 * 1024 * 1024;

let heldBytes = 0;
/** Those that hold anything. One whose relay was torn down without a word stays here until room is needed. */
const holders = new Set<Copies>();

/**
 * What a relay wrote for its client lately, should the object crash before it has put it somewhere safe; the client may be
 * gone by then, too.
 *
 * Storage: none. Lifetime: ten seconds. Loses: the oldest, beyond what the object itself keeps.
 */
export class Copies {
  readonly #maxBytes: number;
  #frames: { packed: ArrayBuffer; atMs: number }[] = [];
  #bytes = 0;

  /** `maxBytes`: what the object itself keeps. A notification may be longer. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False if there is no room: then the object must see to it by itself. */
  add(packed: ArrayBuffer, nowMs: number): boolean {
    this.dropOld(nowMs);
    if (packed.byteLength > this.#maxBytes) return false;
    while (this.#bytes + packed.byteLength > this.#maxBytes) this.#dropFirst();
    if (!hasRoom(packed.byteLength, nowMs)) return false;
    this.#frames.push({ packed, atMs: nowMs });
    this.#count(packed.byteLength);
    return true;
  }

  /** All, in order. */
  all(): ArrayBuffer[] {
    return this.#frames.map(({ packed }) => packed);
  }

  dropOld(nowMs: number): void {
    for (let first = this.#frames[0]; first !== undefined && first.atMs < nowMs - keptMs; first = this.#frames[0]) {
      this.#dropFirst();
    }
  }

  clear(): void {
    this.#frames = [];
    this.#count(-this.#bytes);
  }

  #dropFirst(): void {
    this.#count(-(this.#frames.shift()?.packed.byteLength ?? 0));
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    heldBytes += bytes;
    if (this.#bytes > 0) holders.add(this);
    else holders.delete(this);
  }
}

function hasRoom(bytes: number, nowMs: number): boolean {
  if (heldBytes + bytes > maxHeldBytes) for (const holder of holders) holder.dropOld(nowMs);
  return heldBytes + bytes <= maxHeldBytes;
}
