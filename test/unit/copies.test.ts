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
  test("are kept for ten seconds, and large ones not much longer", () => {
    const copies = openCopies(mebibyte);
    copies.add(frame(20_000), 0);
    copies.add(frame(30_000), 9_000);
    copies.dropOld(10_000);
    expect(sizes(copies)).toEqual([20_000, 30_000]);
    copies.dropOld(10_001);
    expect(sizes(copies)).toEqual([30_000]);
    expect(copies.add(frame(1), 20_000)).toBe(true);
    expect(sizes(copies)).toEqual([1]);
  });

  test("are kept, however old, of what the object may have kept with its socket only", () => {
    const copies = openCopies(mebibyte);
    const years = 1e12;
    copies.add(frame(13_000), 0);
    copies.dropOld(10_001);
    expect(sizes(copies)).toEqual([13_000]);
    // The object has not had the time yet to put both somewhere else.
    copies.add(frame(2_000), 20_000);
    copies.dropOld(20_500);
    expect(sizes(copies)).toEqual([13_000, 2_000]);
    copies.dropOld(30_001);
    expect(sizes(copies)).toEqual([2_000]);
    // A large one takes all before it along, into a row.
    copies.add(frame(20_000), 31_000);
    copies.add(frame(3), 32_000);
    copies.dropOld(years);
    expect(sizes(copies)).toEqual([3]);
  });

  test("of a quiet stream are hardly more than that", () => {
    const copies = openCopies(mebibyte);
    for (let count = 0; count < 1_000; count++) copies.add(frame(500), 0);
    copies.dropOld(10_001);
    const bytes = copies.all().reduce((total, { byteLength }) => total + byteLength, 0);
    expect(bytes).toBeGreaterThan(13_500);
    expect(bytes).toBeLessThan(32_000);
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

  test("leave their room when their relay has not looked after them for a minute: it is gone without a word", () => {
    const gone = openCopies(mebibyte);
    const quiet = openCopies(mebibyte);
    for (const copies of [gone, quiet]) copies.add(frame(100), 0);
    const heavy = Array.from({ length: 4 }, () => openCopies(8 * mebibyte));
    const fill = (nowMs: number): void => {
      for (const copies of heavy) for (let part = 0; part < 8; part++) copies.add(frame(mebibyte), nowMs);
    };
    fill(59_000);
    expect([gone, quiet].flatMap(sizes)).toEqual([100, 100]);
    quiet.dropOld(60_000);
    fill(61_000);
    expect([gone, quiet].map(sizes)).toEqual([[], [100]]);
  });
});
