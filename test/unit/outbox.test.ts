import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryRows } from "../support/memory-rows.ts";
import { bounds, message, type NewMessage, openOutbox, sequences, whole } from "../support/outbox.ts";

describe("sequence numbers", () => {
  test("grow, also across restarts that stored nothing, as long as the clock does not run backwards", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ passedMs: fc.nat(50), restarts: fc.boolean() }), { minLength: 1 }), (steps) => {
        let nowMs = 1_800_000_000_000;
        let outbox = openOutbox(memoryRows().rows, bounds);
        let last = 0;
        for (const { passedMs, restarts } of steps) {
          // An object takes longer than a millisecond to start.
          nowMs += passedMs + (restarts ? 1 : 0);
          if (restarts) outbox = openOutbox(memoryRows().rows, bounds);
          const next = outbox.nextSequence(nowMs);
          expect(next).toBeGreaterThan(last);
          expect(Number.isSafeInteger(next)).toBe(true);
          last = next;
        }
      }),
    );
  });
});

describe("whatever happens to the object", () => {
  /** One step of a session's life as the outbox sees it. */
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant("send" as const), attached: fc.boolean(), size: fc.nat(400) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("save" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("take back" as const), which: fc.array(fc.nat(12), { maxLength: 4 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("resume" as const), seen: fc.double({ min: 0, max: 1, noNaN: true }) }),
    },
  );

  test("a client that says where it is gets all after it, once, in order, and nothing that was saved is missing", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
        const store = memoryRows();
        const wide = { ...bounds, maxOutboxBytes: 1e9, maxOutboxMessages: 1e9, retainMs: 1e9 };
        let outbox = openOutbox(store.rows, wide);
        let nowMs = 1_800_000_000_000;
        let kept: number[] = [];
        let unsaved: number[] = [];
        let reached = 0;
        const all: NewMessage[] = [];
        for (const action of steps) {
          nowMs += 2;
          switch (action.do) {
            case "send": {
              const handedOverAtMs = action.attached ? nowMs : undefined;
              const sent = message(outbox, nowMs, { handedOverAtMs, packed: new Uint8Array(action.size + 8) });
              outbox.add(sent);
              all.push({ ...sent });
              kept.push(sent.sequence);
              unsaved.push(sent.sequence);
              break;
            }
            case "save":
              outbox.save();
              unsaved = [];
              break;
            // Somebody else kept it: also what was acknowledged, or is here.
            case "take back": {
              const back = all.filter((_, index) => action.which.includes(index)).map((sent) => ({ ...sent }));
              outbox.takeBack(back);
              const missing = sequences(back).filter((sequence) => sequence > reached && !kept.includes(sequence));
              kept = [...kept, ...missing].sort((a, b) => a - b);
              unsaved.push(...missing);
              break;
            }
            case "restart":
              outbox = openOutbox(store.again(), wide);
              kept = kept.filter((sequence) => !unsaved.includes(sequence));
              unsaved = [];
              break;
            case "resume": {
              const after = kept[Math.floor(action.seen * kept.length)] ?? reached;
              reached = after;
              const expected = kept.filter((sequence) => sequence > after);
              outbox.acknowledge("sse", after);
              const rest = outbox.after("sse", after);
              expect(sequences(rest)).toEqual(expected);
              const sizes = all.filter(({ sequence }) => expected.includes(sequence)).map(({ bytes }) => bytes);
              expect(rest.map((one) => outbox.packedOf(one).byteLength)).toEqual(sizes);
              kept = expected;
              unsaved = unsaved.filter((sequence) => sequence > after);
            }
          }
        }
        expect(sequences(outbox.after("sse", reached))).toEqual(kept);
      }),
      { numRuns: 2_000 },
    );
  });

  test("what had to go for want of room, and came back, is there once, and whole", () => {
    const store = memoryRows();
    const narrow = { ...bounds, maxOutboxMessages: 2 };
    const outbox = openOutbox(store.rows, narrow);
    const sent = [1, 2, 3].map((nowMs) => message(outbox, nowMs));
    const expected = sent.map((one) => ({ ...one }));
    const [first, second, third] = sent as [NewMessage, NewMessage, NewMessage];
    for (const one of [first, second]) outbox.add(one);
    outbox.save();
    outbox.add(third);
    expect(sequences(outbox.after("sse", 0))).toEqual(sequences([second, third]));
    outbox.takeBack(expected.slice(0, 1).map((one) => ({ ...one })));
    outbox.save();
    expect(whole(outbox)).toEqual(expected);
    expect(whole(openOutbox(store.again(), narrow))).toEqual(expected);
  });

  test("frames of any size come back byte by byte, in rows below the platform's limit", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4_000_000 }), { minLength: 1, maxLength: 3 }), (sizes) => {
        const store = memoryRows();
        const wide = { ...bounds, maxOutboxBytes: 1e9 };
        const outbox = openOutbox(store.rows, wide);
        const sent = sizes.map((size, index) =>
          message(outbox, index, { packed: new Uint8Array(size).fill(index + 1) }),
        );
        for (const one of sent) outbox.add(one);
        outbox.save();
        for (const part of store.stored()) expect(Buffer.byteLength(part)).toBeLessThan(2_000_000);
        expect(sent.filter(({ packed }) => packed !== undefined)).toEqual([]);
        const again = openOutbox(store.again(), wide);
        const loaded = again.after("sse", 0).map((one) => again.packedOf(one));
        // Compared as buffers: an element-wise comparison of megabytes takes seconds.
        expect(
          loaded.map((packed) =>
            Buffer.from(packed)
              .subarray(1)
              .equals(Buffer.alloc(packed.length - 1, packed[1])),
          ),
        ).toEqual(sizes.map(() => true));
        expect(loaded.map(({ byteLength }) => byteLength)).toEqual(sizes);
      }),
      { numRuns: 20 },
    );
  });
});

describe("in doubt", () => {
  test("is what was handed over since, and all that was not, of this stream only", () => {
    const outbox = openOutbox(memoryRows().rows, bounds);
    const early = message(outbox, 100);
    const late = message(outbox, 200);
    const waiting = message(outbox, 201, { handedOverAtMs: undefined });
    const other = message(outbox, 202, { stream: "listen" });
    for (const one of [early, late, waiting, other]) outbox.add(one);
    expect(sequences(outbox.inDoubt("sse", 150))).toEqual(sequences([late, waiting]));
    outbox.acknowledge("sse", late.sequence);
    expect(sequences(outbox.inDoubt("sse", 0))).toEqual([waiting.sequence]);
    expect(outbox.inDoubt("listen", 0)).toHaveLength(1);
  });

  test("is entrusted while it is small and unwritten, and taken back whole", () => {
    const outbox = openOutbox(memoryRows().rows, bounds);
    outbox.add(message(outbox, 1));
    const entrusted = outbox.unsaved.within(14_000) ?? [];
    expect(entrusted).toHaveLength(1);
    const rebuilt = openOutbox(memoryRows().rows, bounds);
    rebuilt.takeBack(entrusted);
    expect(sequences(rebuilt.after("sse", 0))).toEqual(sequences(entrusted));
    expect(rebuilt.nextSequence(0)).toBeGreaterThan(entrusted[0]?.sequence ?? 0);
    outbox.add(message(outbox, 2, { packed: new Uint8Array(9_000) }));
    expect(outbox.unsaved.within(8_000)).toBeUndefined();
  });
});
