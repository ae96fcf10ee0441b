import fc from "fast-check";
import { expect, test } from "vitest";
import { Rows } from "../../src/session/stored/rows.ts";
import { digest } from "../support/digest.ts";
import { memoryRows } from "../support/memory-rows.ts";

/** Long enough for several rows, with characters of one to four bytes anywhere in it. */
const text = fc
  .tuple(fc.string({ unit: "binary", maxLength: 7 }), fc.nat(200_000))
  .map(([unit, times]) => unit.repeat(times));
const bytes = fc.tuple(fc.nat(255), fc.nat(4_000_000)).map(([value, size]) => new Uint8Array(size).fill(value).buffer);

test("values of any size come back whole, also where a shorter one replaced a longer, in rows the platform takes", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(text, bytes), { minLength: 1, maxLength: 3 }), (values) => {
      const { rows, stored, again } = memoryRows();
      for (const value of values) rows.put("memory/same", value);
      for (const [index, value] of values.entries()) rows.put(`memory/${index}`, value);
      for (const part of stored()) expect(Buffer.byteLength(part)).toBeLessThan(2_000_000);
      expect(digest(again().get("memory/same"))).toBe(digest(values.at(-1)));
      const listed = [...again().list({ prefix: "memory/" })];
      const put = [...values.entries(), ["same", values.at(-1)] as const];
      expect(listed.map(([key, value]) => [key, digest(value)])).toEqual(
        put.map(([key, value]) => [`memory/${key}`, digest(value)]),
      );
    }),
    { numRuns: 30 },
  );
});

test("a value is replaced as a whole or not at all, whatever write the platform refuses", () => {
  // Of none to four rows.
  const length = fc.constantFrom(1, 600_000, 1_200_000, 1_700_000);
  fc.assert(
    fc.property(fc.option(length, { nil: undefined }), length, fc.nat(5), (lengthBefore, lengthAfter, accepted) => {
      const { rows, again, refuseWrites } = memoryRows();
      const before = lengthBefore === undefined ? undefined : "a".repeat(lengthBefore);
      const after = "b".repeat(lengthAfter);
      if (before !== undefined) rows.put("memory/k", before);
      refuseWrites(accepted);
      let expected: string | undefined = after;
      try {
        if (before === undefined) rows.add("memory/k", after);
        else rows.put("memory/k", after);
      } catch {
        expected = before;
      }
      expect(digest(again().get("memory/k"))).toBe(digest(expected));
    }),
    { numRuns: 200 },
  );
});

test("a prefix lists what begins with it, in order, and nothing else", () => {
  const { rows } = memoryRows();
  for (const key of ["memory/b", "memory0", "memory/", "memory/\u{10FFFF}", "memor", "memory/a/b", "outbox/1"])
    rows.put(key, "");
  expect(Array.from(rows.list({ prefix: "memory/" }), ([key]) => key)).toEqual([
    "memory/",
    "memory/a/b",
    "memory/b",
    "memory/\u{10FFFF}",
  ]);
});

test("what is deleted is gone, all of it, and nothing else", () => {
  const { rows, stored } = memoryRows();
  rows.put("call/1", "x".repeat(2_000_000));
  rows.put("call/10", "stays");
  rows.delete("call/1");
  expect(rows.get("call/1")).toBeUndefined();
  expect(stored()).toEqual(["stays"]);
});

test("without a handshake there is no session, and nothing is stored or touched", () => {
  const sql = { exec: () => expect.unreachable() } as unknown as SqlStorage;
  const rows = new Rows({ sql } as DurableObjectStorage, { isNew: true, beforeWrite: () => undefined });
  rows.put("outbox/1", "x");
  rows.delete("outbox/1");
  expect(rows.get("outbox/1")).toBeUndefined();
  expect([...rows.list({ prefix: "outbox/" })]).toEqual([]);
});
