import { expect, test } from "vitest";
import { Lines } from "../../src/dev/lines.ts";

function linesOf(...pieces: string[]): { read: string[]; end: string[] } {
  const read: string[] = [];
  const lines = new Lines((line) => read.push(line));
  for (const piece of pieces) lines.write(piece);
  const before = [...read];
  lines.end();
  return { read: before, end: read.slice(before.length) };
}

test("lines are whole, wherever their pieces end", () => {
  expect(linesOf("a", "b\nc\n", "\n", "d\ne")).toEqual({ read: ["ab", "c", "", "d"], end: ["e"] });
  expect(linesOf("a\n", "")).toEqual({ read: ["a"], end: [] });
});

test("a line of 32 MB in small pieces is read at once, not once more with each of them, which would take minutes", () => {
  const piece = "A".repeat(1024);
  const { read } = linesOf(...Array.from({ length: 32 * 1024 }, () => piece), "\n");
  expect(read.map((line) => line.length)).toEqual([32 * 1024 * 1024]);
});
