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
  test("are kept for ten seconds", () => {
    const copies = openCopies(100);
    copies.add(frame(1), 0);
    copies.add(frame(2), 9_000);
    copies.dropOld(10_000);
    expect(sizes(copies)).toEqual([1, 2]);
    copies.dropOld(10_001);
    expect(sizes(copies)).toEqual([2]);
    expect(copies.add(frame(3), 20_000)).toBe(true);
    expect(sizes(copies)).toEqual([3]);
  });

  test("are the newest that the object keeps itself", () => {
    const copies = openCopies(100);
    for (const bytes of [60, 30, 10, 50]) expect(copies.add(frame(bytes), 0)).toBe(true);
    expect(sizes(copies)).toEqual([30, 10, 50]);
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
