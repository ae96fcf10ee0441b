import fc from "fast-check";
import { expect, test } from "vitest";
import { Journal, type JournalEntry } from "../../src/session/calls/journal.ts";
import { memoryRows } from "../support/memory-rows.ts";

function entry(id: number): JournalEntry {
  const request = { jsonrpc: "2.0" as const, id, method: "tools/call", params: { name: "x" } };
  return { request, stream: "sse", url: "https://example.com/sse/message", headers: [["x-user", "ada"]] };
}

test("what was added and not removed is interrupted, oldest first, also for another object", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 12 }), (answered) => {
      const { rows, again, stored } = memoryRows();
      const journal = new Journal(rows);
      const keys = answered.map((_, id) => journal.add(entry(id), 1_000 + id));
      for (const [id, isAnswered] of answered.entries()) if (isAnswered) journal.remove(keys[id] ?? "");
      const open = answered.flatMap((isAnswered, id) => (isAnswered ? [] : [entry(id)]));
      expect(new Journal(again()).interrupted().map((found) => found.entry)).toEqual(open);
      expect(stored()).toHaveLength(open.length);
    }),
  );
});
