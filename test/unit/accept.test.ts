import { describe, expect, test } from "vitest";
import { acceptsAll, qualityOf } from "../../src/protocol/accept.ts";

describe("how much a client wants an event stream", () => {
  test.each([
    ["by its name", "text/event-stream", 1],
    ["in any case", "Application/JSON, Text/Event-Stream", 1],
    ["by a range", "text/*", 1],
    ["by the range of all", "*/*", 1],
    ["by half a range, as Java says it", "text/html, *; q=.2", 0.2],
    ["with a weight", "text/event-stream ; Q = 0.4", 0.4],
    ["with parameters", "text/event-stream;charset=utf-8;q=0.4", 0.4],
    ["with a parameter that holds a comma and a semicolon", 'text/html;a="x, text/event-stream;q=1";q=0.1', 0],
    ["with a quotation that does not end", 'text/event-stream, text/html;a="x, text/event-stream;q=0', 1],
    ["more than all others", "*/*;q=0.1, text/event-stream;q=0.9", 0.9],
    ["less than its range", "text/*, text/event-stream;q=0.3", 0.3],
    ["not at all: something else", "application/json", 0],
    ["not at all: excluded from all", "*/*, text/event-stream;q=0", 0],
    ["not at all: excluded from its range", "*/*, text/*;q=0.000", 0],
    ["not at all: a longer name", "text/event-streams, xtext/event-stream", 0],
    ["with a weight that is none", "text/event-stream;q=high", 1],
    ["without a word", "", 1],
  ])("%s", (_, accept, quality) => {
    expect(qualityOf("text/event-stream", accept)).toBe(quality);
  });

  test("without the header, as everything", () => {
    expect(qualityOf("text/event-stream", null)).toBe(1);
  });

  test("costs little to tell, whatever is said", () => {
    // Of its own time, whatever else the machine does.
    const began = process.cpuUsage();
    for (const part of ['"', '"\\', '\\"', ",", ";", ";q=", "*/", '";"']) qualityOf("a/b", part.repeat(100_000));
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(2_000);
  });
});

test("of several types, each has to be wanted", () => {
  const both = ["application/json", "text/event-stream"];
  expect(acceptsAll(both, "application/*, text/*")).toBe(true);
  expect(acceptsAll(both, "application/json")).toBe(false);
  expect(acceptsAll(both, "*/*, application/json;q=0")).toBe(false);
});
