import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { processMemory, processUserMemory } from "../../src/session/stored/memory.ts";

class Point {
  readonly x = 1;
}

const cycle: { self?: unknown } = {};
cycle.self = { list: [cycle] };
// eslint-disable-next-line unicorn/no-new-array, no-sparse-arrays -- what a tool of plain JavaScript can make
const sparse = [1, , 3];
const shared = { a: 1 };

/** `depth` arrays, each in the next. */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < depth; level++) value = [value];
  return value;
}

describe("a key of the memory that is no text", () => {
  test.each([[5], [undefined], [null], [{}], [Symbol("x")]])("is refused by all that take one: %s", (key) => {
    const memory = processMemory();
    const told = /^A key of the session's memory is text; (number|undefined|null|object|symbol) is not\.$/;
    expect(() => memory.get(key as never)).toThrow(told);
    expect(() => memory.set(key as never, 1)).toThrow(told);
    expect(() => memory.delete(key as never)).toThrow(told);
  });
});

test("what the memory of a user refuses is said of that memory", async () => {
  const memory = processUserMemory();
  await expect(memory.set("key", new Map())).rejects.toThrow("The user's memory holds JSON, as it is: value is a Map.");
  await expect(memory.get(5 as never)).rejects.toThrow("A key of the user's memory is text; number is not.");
});

describe("memory.set", () => {
  test.each([
    ["nothing", undefined, "value is undefined"],
    ["a Map", new Map([[1, 2]]), "value is a Map"],
    ["a Set in an array", { list: [0, new Set([1])] }, "value.list[1] is a Set"],
    ["a Date", { users: [{ born: new Date(0) }] }, "value.users[0].born is a Date"],
    ["an instance of a class", { at: new Point() }, "value.at is a Point"],
    ["an object whose prototype is another", Object.create({ inherited: 1 }), "value is a "],
    ["a boxed string", { text: Object("x") }, "value.text is a String"],
    ["an array of a class", { list: new (class extends Array<number> {})() }, "value.list is a "],
    ["bytes", { bytes: new Uint8Array(2) }, "value.bytes is a Uint8Array"],
    ["a function", { "on click": () => 1 }, 'value["on click"] is a function'],
    ["a member that is undefined", { a: { b: undefined } }, "value.a.b is undefined"],
    ["NaN", [Number.NaN], "value[0] is NaN"],
    ["Infinity", { n: -Infinity }, "value.n is -Infinity"],
    ["a BigInt", { n: 1n }, "value.n is a bigint"],
    ["a symbol", { s: Symbol("x") }, "value.s is a symbol"],
    ["a symbol for a key", { [Symbol("x")]: 1 }, "value has a symbol for a key"],
    ["a gap", { sparse }, "value.sparse[1] is empty"],
    ["an array with a member", Object.assign([1], { more: 2 }), "value.more is no element"],
    [
      "a hidden toJSON",
      Object.defineProperty({ a: 1 }, "toJSON", { value: () => 2 }),
      "value.toJSON is not enumerable",
    ],
    ["an array's hidden toJSON", [Object.defineProperty([1], "toJSON", { value: () => 2 })], "value[0].toJSON is not"],
    ["a hidden member", { at: Object.defineProperty({ x: 1 }, "y", { value: 2 }) }, "value.at.y is not enumerable"],
    ["what is nested without end", nested(100_000), "value is nested deeper than 1000 levels"],
    ["a cycle", cycle, "value.self.list[0] holds itself"],
  ])("of %s throws, and says where", (_name, value, where) => {
    const memory = processMemory();
    expect(() => memory.set("key", value)).toThrow(RangeError);
    expect(() => memory.set("key", value)).toThrow(where);
    expect(memory.keys()).toEqual([]);
  });

  test("of all that is JSON gives it back as it was", () => {
    const memory = processMemory();
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        memory.set("key", value);
        // JSON has no -0.
        expect(memory.get("key")).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test.each([
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }) as unknown, { a: 1 }],
    ["an object of another realm", runInNewContext("({ a: [1] })") as unknown, { a: [1] }],
    ["a thousand levels", nested(1_000), nested(1_000)],
    ["one object twice", [shared, shared], [shared, shared]],
    ["half of a surrogate pair, in a key and a value", { "\uD83D": "x\uDE00" }, { "\uFFFD": "x\uFFFD" }],
  ])("of %s is no error", (_name, value, expected) => {
    const memory = processMemory();
    memory.set("key", value);
    expect(memory.get("key")).toEqual(expected);
  });
});
