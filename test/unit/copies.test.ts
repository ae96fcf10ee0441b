import { afterEach, describe, expect, test } from "vitest";
import { Copies } from "../../src/edge/copies.ts";

const mebibyte = 1024 * 1024;
const opened: Copies[] = [];

function openCopies(maxBytes: number): Copies {
  const copies = new Copies(maxBytes);
  opened.push(copies);
  return copies;
}

const frame = (bytes: number): ArrayBuffer => new ArrayBuffer(bytes);
const sizes = (copies: Copies): number[] => copies.all().map(({ byteLength }) => byteLength);

// All copies of a process share its room.
afterEach(() => {
  for (const copies of opened.splice(0)) copies.clear();
});

describe("a relay's copies", () => {
  test("are kept for ten seconds, and not much longer", () => {
    const copies = openCopies(mebibyte);
    copies.add(frame(20_000), 0);
    copies.add(frame(30_000), 9_000);
    copies.dropOld(10_000);
    expect(sizes(copies)).toEqual([20_000, 30_000]);
    copies.dropOld(10_001);
    expect(sizes(copies)).toEqual([30_000]);
    expect(copies.add(frame(1), 20_000)).toBe(true);
    expect(sizes(copies)).toEqual([1]);
    // Small ones behind the first are forgotten with the youngest of their block.
    expect(copies.add(frame(2), 20_000)).toBe(true);
    expect(copies.add(frame(3), 29_000)).toBe(true);
    copies.dropOld(39_000);
    expect(sizes(copies)).toEqual([2, 3]);
    copies.dropOld(39_001);
    expect(sizes(copies)).toEqual([]);
  });

  test("take no room of their own for the first, nor for a large one", () => {
    const copies = openCopies(mebibyte);
    const frames = [frame(300), frame(200), frame(20_000)];
    for (const packed of frames) copies.add(packed, 0);
    const kept = copies.all().map(({ buffer }) => frames.findIndex((packed) => packed === buffer));
    expect(kept).toEqual([0, -1, 2]);
    expect(sizes(copies)).toEqual([300, 200, 20_000]);
  });

  test("are the newest that the object keeps itself", () => {
    const copies = openCopies(100_000);
    for (const bytes of [60_000, 30_000, 20_000, 50_000]) expect(copies.add(frame(bytes), 0)).toBe(true);
    expect(sizes(copies)).toEqual([30_000, 20_000, 50_000]);
  });

  test("of small messages are all of the newest, byte by byte, and few more", () => {
    const maxBytes = 50_000;
    const copies = openCopies(maxBytes);
    const added: Uint8Array[] = [];
    for (let count = 0; count < 2_000; count++) {
      const bytes = new Uint8Array((count * 7_919) % 500).fill(count);
      added.push(bytes);
      copies.add(bytes.buffer, 0);
    }
    const kept = copies.all().map((copy) => new Uint8Array(copy));
    expect(kept).toEqual(added.slice(-kept.length));
    const keptBytes = kept.reduce((total, { byteLength }) => total + byteLength, 0);
    expect(keptBytes).toBeGreaterThan(maxBytes - 500);
    expect(keptBytes).toBeLessThan(maxBytes + 17_000);
  });

  test("are not taken of a message that is longer than all that the object keeps: it is told", () => {
    const copies = openCopies(100);
    copies.add(frame(60), 0);
    expect(copies.add(frame(101), 0)).toBe(false);
    expect(sizes(copies)).toEqual([60]);
  });

  test("share the room of their isolate: beyond it the object is told, until a stream ends or its copies are old", () => {
    const heavy = Array.from({ length: 4 }, () => openCopies(8 * mebibyte));
    for (const copies of heavy) for (let part = 0; part < 8; part++) expect(copies.add(frame(mebibyte), 0)).toBe(true);
    const late = openCopies(8 * mebibyte);
    expect(late.add(frame(1), 5_000)).toBe(false);
    expect(sizes(late)).toEqual([]);
    heavy[0]?.clear();
    expect(late.add(frame(8 * mebibyte), 5_000)).toBe(true);
    const last = openCopies(8 * mebibyte);
    expect(last.add(frame(1), 10_000)).toBe(false);
    expect(last.add(frame(8 * mebibyte), 10_001)).toBe(true);
    expect(heavy.flatMap(sizes)).toEqual([]);
  });
});
