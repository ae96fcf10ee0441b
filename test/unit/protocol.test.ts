import { isJSONRPCRequest } from "@modelcontextprotocol/server";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resolveOptions } from "../../src/options.ts";
import { formatEventId, parseEventId } from "../../src/protocol/event-id.ts";
import { parseBody } from "../../src/protocol/json-rpc.ts";
import { dataOf, keepAliveFrame, messageFrame } from "../../src/protocol/sse-frame.ts";
import { claimId, frameOf, packFrame, readClaimId, unpackFrame } from "../../src/link/link.ts";
import { processMemory } from "../../src/session/stored/memory.ts";

describe("event ids", () => {
  const hex = fc
    .array(fc.constantFrom(...Array.from("0123456789abcdef")), { minLength: 64, maxLength: 64 })
    .map((digits) => digits.join(""));

  test("are read back as they were written", () => {
    const id = fc.record({
      sessionId: hex,
      stream: fc.constantFrom("sse", "listen", "p1a2b"),
      sequence: fc.maxSafeNat(),
    });
    fc.assert(fc.property(id, (eventId) => void expect(parseEventId(formatEventId(eventId))).toEqual(eventId)));
  });

  test("of anybody else are none of ours", () => {
    fc.assert(fc.property(fc.string(), (text) => void expect(parseEventId(text)).toBeUndefined()));
    expect(parseEventId(`${"a".repeat(64)}/sse/99999999999999999`)).toBeUndefined();
  });
});

describe("frames", () => {
  test("carry any JSON in one data line, and their sequence beside it", () => {
    fc.assert(
      fc.property(fc.json(), fc.maxSafeNat(), (json, sequence) => {
        const packed = packFrame(sequence, messageFrame(json, "id"));
        const { sequence: unpacked, frame } = unpackFrame(packed.slice());
        expect(unpacked).toBe(sequence);
        const lines = new TextDecoder().decode(frame).split("\n");
        expect(lines).toEqual(["event: message", "id: id", `data: ${json}`, "", ""]);
        expect(frameOf(packed)).toEqual(frame);
        expect(dataOf(new TextDecoder().decode(frame))).toBe(json);
      }),
    );
  });

  test("carry the line breaks of Unicode, which are none in an event stream", () => {
    const json = JSON.stringify({ text: "\u2028data: {}\u2029\u0085" });
    expect(dataOf(messageFrame(json, "id"))).toBe(json);
    expect(dataOf(keepAliveFrame)).toBeUndefined();
  });
});

describe("a claim", () => {
  const freshId = "0123456789abcdef".repeat(4);

  test("is read back as it was written", () => {
    expect(readClaimId(claimId(freshId, 0))).toBe(freshId);
    expect(readClaimId(claimId(freshId, 12))).toBe(freshId);
  });

  test("of any other form is none, and costs nothing to tell", () => {
    const hostile = `claim:${".".repeat(4_000_000)}\n`;
    for (const id of [hostile, "claim:", `claim:${freshId}`, `claim:${freshId}.0\n`, `CLAIM:${freshId}.0`, 1]) {
      expect(readClaimId(id)).toBeUndefined();
    }
  });
});

describe("a body", () => {
  test("of any kind is parsed or refused, never thrown at", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseBody(text)));
  });

  test("is a message if JSON-RPC says so", () => {
    const id = fc.oneof(fc.string(), fc.maxSafeInteger());
    const params = fc.option(fc.dictionary(fc.string(), fc.jsonValue()), { nil: undefined });
    const message = fc.oneof(
      fc.record({ jsonrpc: fc.constant("2.0"), id, method: fc.string(), params }),
      fc.record({ jsonrpc: fc.constant("2.0"), method: fc.string(), params }),
      fc.record({ jsonrpc: fc.constant("2.0"), id, result: fc.dictionary(fc.string(), fc.jsonValue()) }),
      fc.record({ jsonrpc: fc.constant("2.0"), id, error: fc.record({ code: fc.integer(), message: fc.string() }) }),
    );
    fc.assert(fc.property(message, (value) => void expect(parseBody(JSON.stringify(value)).ok).toBe(true)));
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 100 }),
        (values) => void expect(parseBody(JSON.stringify(values))).toMatchObject({ ok: true, batch: true }),
      ),
      { numRuns: 20 },
    );
  });

  test("is a request exactly if the SDK takes it as one", () => {
    const params = [
      {},
      { name: "add" },
      { _meta: { progressToken: 1 } },
      { _meta: { progressToken: {} } },
      { _meta: 1 },
    ];
    const value = fc.record(
      {
        jsonrpc: fc.constantFrom("2.0", "1.0", 2),
        id: fc.constantFrom<unknown>(1, 0, -1, "1", "", 1.5, 2 ** 53, null, true, {}),
        method: fc.constantFrom<unknown>("tools/call", "", 1, null, []),
        params: fc.constantFrom<unknown>(...params, [], null, "text"),
        more: fc.constantFrom<unknown>(1, null, {}),
      },
      { requiredKeys: ["id", "method"] },
    );
    fc.assert(
      fc.property(value, (sent) => {
        const json = JSON.stringify(sent);
        expect(parseBody(json).ok).toBe(isJSONRPCRequest(JSON.parse(json)));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("options", () => {
  test("have defaults, and say which value cannot be", () => {
    expect(resolveOptions({})).toMatchObject({ ssePath: "/sse", maxBodyBytes: 4_194_304, keepAliveMs: 20_000 });
    expect(() => resolveOptions({ sessionIdleMs: 0 })).toThrow("sessionIdleMs is a positive number, not 0");
    expect(() => resolveOptions({ keepAliveMs: 60_000 })).toThrow("at most 25,000");
    expect(() => resolveOptions({ ssePath: "sse" })).toThrow("starts with a slash");
    expect(() => resolveOptions({ maxOutboxBytes: 1e6 })).toThrow("what a cut loses");
    expect(() => resolveOptions({ maxMessageBytes: 4e7, maxOutboxBytes: 1e8 })).toThrow("maxMessageBytes is at most");
  });

  // Nothing checks types before a start.
  test.each([
    [{ sessionIdleMillis: 1 }, "There is no option sessionIdleMillis. There are auth, ssePath, mcpPath,"],
    [{ toString: 1 }, "There is no option toString."],
    [{ sessionIdleMs: "8h" }, 'sessionIdleMs is a positive number, not "8h".'],
    [{ maxBodyBytes: Number.NaN }, "maxBodyBytes is a positive number, not NaN."],
    [
      { taskTtlMs: Number.MAX_SAFE_INTEGER },
      "taskTtlMs is a positive integer up to 3000000000000, not 9007199254740991.",
    ],
    [{ maxTasks: 5n }, "maxTasks is a positive number, not 5n."],
    [{ maxCallsInFlight: 0.5 }, "maxCallsInFlight is a positive integer up to 3000000000000, not 0.5."],
    [{ retryMs: 1e21 }, "retryMs is a positive integer up to 3000000000000, not 1e+21."],
    [{ ssePath: undefined }, "ssePath is a string, not undefined."],
    [{ binding: null }, "binding is a string, not null."],
    [{ outOfScope: true }, 'outOfScope is "challenged" or "hidden", not true.'],
    [{ sessions: "none" }, 'sessions is "offered" or "preferred", not "none".'],
  ])("of plain JavaScript are looked at as well: %o", (options, said) => {
    expect(() => resolveOptions(options as object)).toThrow(said);
  });

  test.each([
    ["//sse", "/sse"],
    ["/ä", "/%C3%A4"],
    ["/a/../sse", "/sse"],
    ["/\\sse", "/sse"],
  ])("that name a path as no request does are refused with what to write instead: %s", (path, instead) => {
    for (const name of ["ssePath", "mcpPath", "publicPath"]) {
      const said = `${name} is a path as URLs spell it: "${instead}", not "${path}".`;
      expect(() => resolveOptions({ [name]: path })).toThrow(said);
    }
  });

  test.each([
    ["https://app.example.com", "app.example.com"],
    ["https://app.example.com:3000/path", "app.example.com"],
    ["app.example.com:3000", "app.example.com"],
    ["App.Example.com", "app.example.com"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["*", "app.example.com"],
    ["*.example.com", "app.example.com"],
    ["", "app.example.com"],
  ])("that name a host as no request does are refused with what to write instead: %s", (entry, instead) => {
    const rest = `an array of hostnames, without scheme, port and wildcard: ["${instead}"], not `;
    const listed = JSON.stringify(["localhost", entry]);
    expect(() => resolveOptions({ allowedHosts: ["localhost", entry] })).toThrow(`allowedHosts is ${rest}${listed}.`);
    expect(() => resolveOptions({ allowedOrigins: ["localhost", entry] })).toThrow(
      `allowedOrigins is "*" or ${rest}${listed}.`,
    );
  });

  test("that name hosts are arrays of what a URL calls hostname, or every origin", () => {
    const hosts = ["app.example.com", "xn--bcher-kva.example", "localhost", "10.0.0.1", "[::1]"];
    expect(resolveOptions({ allowedHosts: hosts, allowedOrigins: hosts })).toMatchObject({ allowedOrigins: hosts });
    expect(resolveOptions({ allowedOrigins: "*" })).toMatchObject({ allowedOrigins: "*" });
    const bare = { allowedOrigins: "app.example.com" as "*" };
    expect(() => resolveOptions(bare)).toThrow('["app.example.com"], not "app.example.com".');
    expect(() => resolveOptions({ allowedHosts: "*" as never })).toThrow('not "*".');
    expect(() => resolveOptions({ allowedHosts: [7] as never })).toThrow("not [7].");
  });
});

describe("memory", () => {
  test("gives back what JSON can hold, counts what it holds, and frees what it forgets", () => {
    const memory = processMemory(100);
    memory.set("a", { deep: [1, null, "x"] });
    expect(memory.get("a")).toEqual({ deep: [1, null, "x"] });
    expect(memory.get("b")).toBeUndefined();
    expect(() => memory.set("b", "x".repeat(90))).toThrow("memory is full");
    expect(() => memory.set("b", () => 1)).toThrow("value is a function");
    expect(memory.keys()).toEqual(["a"]);
    expect(memory.delete("a")).toBe(true);
    expect(memory.delete("a")).toBe(false);
    memory.set("b", "x".repeat(90));
    expect(memory.keys()).toEqual(["b"]);
    expect(() => memory.set("b", "€".repeat(40))).toThrow("memory is full");
    expect(() => memory.set("\ud800", 1)).toThrow("half of a surrogate pair");
  });
});
