import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Audience } from "../../src/session/out/outbox.ts";
import type { MessageKind, SentMessage } from "../../src/session/out/sent-message.ts";
import { memoryRows } from "../support/memory-rows.ts";
import { bounds, message, type NewMessage, openOutbox, sequences } from "../support/outbox.ts";

describe("the bounds of an outbox", () => {
  const kinds: MessageKind[] = ["response", "request", "notification"];

  test("notifications go before what was handed over, that before nothing: a response nobody was there for stays", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ kind: fc.constantFrom(...kinds), attached: fc.boolean(), size: fc.nat(900) }), {
          maxLength: 120,
          size: "max",
        }),
        (sends) => {
          const outbox = openOutbox(memoryRows().rows, bounds);
          const owed: number[] = [];
          for (const [index, { kind, attached, size }] of sends.entries()) {
            const handedOverAtMs = attached ? index : undefined;
            const sent = message(outbox, index, { kind, handedOverAtMs, packed: new Uint8Array(size) });
            outbox.add(sent);
            if (!attached && kind !== "notification") owed.push(sent.sequence);
          }
          const held = sequences(outbox.after("sse", 0));
          expect(held).toEqual(expect.arrayContaining(owed));
          // What is above the bounds is only what it owes: the session refuses new calls then.
          if (!outbox.hasRoom()) expect(held).toEqual(owed);
        },
      ),
    );
  });

  test("what was handed over and is not known to be read stays: there is no room for more, as for what is owed", () => {
    let readUpTo = 0;
    const hasRead = ({ sequence }: SentMessage): boolean => sequence <= readUpTo;
    const outbox = openOutbox(memoryRows().rows, bounds, { hasRead });
    const sent = [1, 2, 3].map((nowMs) => message(outbox, nowMs, { packed: new Uint8Array(3_000) }));
    for (const one of sent) outbox.add(one);
    expect(outbox.hasRoom(3_000)).toBe(false);
    expect(sequences(outbox.after("sse", 0))).toEqual(sequences(sent));
    readUpTo = sent[0]?.sequence ?? 0;
    expect(outbox.hasRoom(3_000)).toBe(true);
    expect(sequences(outbox.after("sse", 0))).toEqual(sequences(sent.slice(1)));
  });

  test("what was handed over is forgotten after retainMs, and its row is deleted; what was not stays", () => {
    const store = memoryRows();
    const outbox = openOutbox(store.rows, bounds);
    outbox.add(message(outbox, 0));
    outbox.save();
    outbox.add(message(outbox, 10, { handedOverAtMs: undefined }));
    outbox.save();
    outbox.prune(bounds.retainMs + 1);
    expect(outbox.after("sse", 0)).toHaveLength(1);
    expect(store.stored()).toHaveLength(1);
  });

  test("while a client is away nothing that it may not have got is forgotten", () => {
    let audience: Audience = "away";
    const outbox = openOutbox(memoryRows().rows, bounds, { audienceOf: () => audience });
    outbox.add(message(outbox, 0));
    outbox.prune(10 * bounds.retainMs);
    expect(outbox.after("sse", 0)).toHaveLength(1);
    audience = "there";
    outbox.prune(10 * bounds.retainMs);
    expect(outbox.after("sse", 0)).toEqual([]);
  });

  test("what was made for a client that is gone goes last, oldest first, or after retainMs; that of others stays", () => {
    const outbox = openOutbox(
      memoryRows().rows,
      { ...bounds, maxOutboxMessages: 4 },
      { audienceOf: (stream) => (stream === "p1" ? "gone" : "there") },
    );
    const make = (nowMs: number, more: Partial<NewMessage>): NewMessage => {
      const made = message(outbox, nowMs, { handedOverAtMs: undefined, ...more });
      outbox.add(made);
      return made;
    };
    const [first, second] = [1, 2].map((nowMs) => make(nowMs, { stream: "p1" }));
    make(3, { handedOverAtMs: 3 });
    const owed = [4, 5].map((nowMs) => make(nowMs, {}));
    const held = (): SentMessage[] => [...outbox.after("p1", 0), ...outbox.after("sse", 0)];
    expect(held()).toEqual([first, second, ...owed]);
    owed.push(make(6, {}));
    expect(held()).toEqual([second, ...owed]);
    outbox.prune(bounds.retainMs + 2);
    expect(held()).toEqual([second, ...owed]);
    outbox.prune(bounds.retainMs + 3);
    expect(held()).toEqual(owed);
  });
});
