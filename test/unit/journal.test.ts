import fc from "fast-check";
import { expect, test } from "vitest";
import { Journal, type JournalEntry } from "../../src/session/journal.ts";
import { memoryRows } from "../support/memory-rows.ts";

function entry(id: number, padding = 0): JournalEntry {
  const request = { jsonrpc: "2.0" as const, id, method: "tools/call", params: { padding: "é".repeat(padding) } };
  return { request, stream: "sse", url: "https://example.com/sse/message", headers: [["x-user", "ada"]] };
}

test("what was added and not removed is interrupted, whole, oldest first, also for another object", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ padding: fc.nat(1_500_000), answered: fc.boolean() }), { maxLength: 8 }),
      (calls) => {
        const store = memoryRows();
        const journal = new Journal(store);
        const keys = calls.map(({ padding }, id) => journal.add(entry(id, padding), 1_000 + id));
        for (const [id, { answered }] of calls.entries()) if (answered) journal.remove(keys[id] ?? "");
        const open = calls.flatMap(({ padding, answered }, id) => (answered ? [] : [entry(id, padding)]));
        expect(new Journal(store).interrupted().map((found) => found.entry.request.id)).toEqual(
          open.map(({ request }) => request.id),
        );
        expect(
          JSON.stringify(new Journal(store).interrupted().map((found) => found.entry)) === JSON.stringify(open),
        ).toBe(true);
        if (open.length === 0) expect(store.rows.size).toBe(0);
      },
    ),
    { numRuns: 30 },
  );
});

test("no row is above the platform's limit", () => {
  const store = memoryRows();
  new Journal(store).add(entry(1, 4_000_000), 1);
  for (const text of store.rows.values()) expect(Buffer.byteLength(text as string)).toBeLessThan(2_000_000);
});
