import { afterEach, describe, expect, test } from "vitest";
import { HeldFrames } from "../../src/edge/held-frames.ts";

const mebibyte = 1024 * 1024;
const opened: HeldFrames[] = [];

function openHeld(maxBytes: number): HeldFrames {
  const held = new HeldFrames(maxBytes);
  opened.push(held);
  return held;
}

const frame = (bytes: number): ArrayBuffer => new ArrayBuffer(bytes);
const sizes = (held: HeldFrames): number[] => held.all().map(({ byteLength }) => byteLength);

// All relays of a process share its room.
afterEach(() => {
  for (const held of opened.splice(0)) held.clear();
});

describe("what a relay holds for its object", () => {
  test("are held until the object has them in its rows, in order, and no longer", () => {
    const held = openHeld(mebibyte);
    held.add(frame(20_000), 1);
    held.add(frame(30_000), 2);
    held.add(frame(40_000), 4);
    expect(sizes(held)).toEqual([20_000, 30_000, 40_000]);
    held.release(1);
    expect(sizes(held)).toEqual([30_000, 40_000]);
    held.release(3);
    expect(sizes(held)).toEqual([40_000]);
    held.release(4);
    expect(sizes(held)).toEqual([]);
  });

  test("take no room of their own for the first, nor for a large one", () => {
    const held = openHeld(mebibyte);
    const frames = [frame(300), frame(200), frame(20_000)];
    for (const [index, packed] of frames.entries()) held.add(packed, index);
    const kept = held.all().map(({ buffer }) => frames.findIndex((packed) => packed === buffer));
    expect(kept).toEqual([0, -1, 2]);
    expect(sizes(held)).toEqual([300, 200, 20_000]);
  });

  test("are, if they are small, let go block by block: byte by byte what is left is the newest, and hardly more", () => {
    const held = openHeld(8 * mebibyte);
    const added: Uint8Array[] = [];
    for (let count = 0; count < 2_000; count++) {
      const bytes = new Uint8Array((count * 7_919) % 500).fill(count);
      added.push(bytes);
      held.add(bytes.buffer, count);
    }
    held.release(1_899);
    const left = held.all().map((packed) => new Uint8Array(packed));
    expect(left).toEqual(added.slice(-left.length));
    expect(left.length).toBeGreaterThanOrEqual(100);
    const leftBytes = left.reduce((total, { byteLength }) => total + byteLength, 0);
    expect(leftBytes).toBeLessThan(100 * 500 + 17_000);
  });

  test("are no more than the object keeps itself: beyond that it is told, and room that is freed is used again", () => {
    const held = openHeld(100_000);
    expect(held.add(frame(60_000), 1)).toBe(true);
    expect(held.add(frame(60_000), 2)).toBe(false);
    expect(sizes(held)).toEqual([60_000]);
    held.release(2);
    expect(held.add(frame(60_000), 3)).toBe(true);
    expect(sizes(held)).toEqual([60_000]);
  });

  test("share the room of their isolate: beyond it the object is told, until others let go of theirs", () => {
    const heavy = Array.from({ length: 4 }, () => openHeld(8 * mebibyte));
    const refused = heavy.flatMap((held) => Array.from({ length: 8 }, (_, part) => held.add(frame(mebibyte), part)));
    expect(refused.filter((isHeld) => !isHeld)).toEqual([]);
    const late = openHeld(8 * mebibyte);
    expect(late.add(frame(1), 1)).toBe(false);
    expect(sizes(late)).toEqual([]);
    heavy[0]?.release(7);
    expect(late.add(frame(8 * mebibyte), 2)).toBe(true);
    expect(openHeld(mebibyte).add(frame(1), 1)).toBe(false);
  });
});
