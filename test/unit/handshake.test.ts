import { describe, expect, test } from "vitest";
import { type Handshake, HandshakeRecord, requestsToRepeat } from "../../src/session/stored/handshake.ts";
import { LateHandshake } from "../../src/session/stored/late-handshake.ts";

function record() {
  const stored: Handshake[] = [];
  const kept = new HandshakeRecord(undefined, (handshake) => void stored.push(handshake));
  const answered = (method: string, params: Record<string, unknown>): void =>
    kept.noteAnswered({ jsonrpc: "2.0", id: 1, method, params }, { jsonrpc: "2.0", id: 1, result: {} });
  return { kept, stored, answered };
}

describe("a session's record", () => {
  test("holds what a rebuilt server must be told, in order", () => {
    const { kept, stored, answered } = record();
    kept.lane = "mcp";
    answered("tools/call", { name: "add" });
    expect(stored).toEqual([]);
    answered("initialize", { protocolVersion: "2025-11-25", capabilities: {} });
    answered("resources/subscribe", { uri: "a:" });
    answered("resources/subscribe", { uri: "b:" });
    answered("resources/subscribe", { uri: "a:" });
    answered("logging/setLevel", { level: "error", _meta: { large: "x".repeat(1_000) } });
    answered("resources/unsubscribe", { uri: "b:" });
    const handshake = stored.at(-1) as Handshake;
    expect(handshake).toEqual({
      lane: "mcp",
      initialize: { protocolVersion: "2025-11-25", capabilities: {} },
      subscriptions: ["a:"],
      logLevel: { level: "error" },
    });
    expect(requestsToRepeat(handshake)).toEqual([
      { method: "resources/subscribe", params: { uri: "a:" } },
      { method: "logging/setLevel", params: { level: "error" } },
    ]);
    expect(kept.handshake).toBe(handshake);
  });

  test("is written before the answer to what a client says once, and in a moment after that to initialize", () => {
    const written: Handshake[] = [];
    const late = new LateHandshake((handshake) => void written.push(handshake));
    const kept = new HandshakeRecord(undefined, (...changed) => late.store(...changed));
    const answered = (method: string, params: Record<string, unknown>): void =>
      kept.noteAnswered({ jsonrpc: "2.0", id: 1, method, params }, { jsonrpc: "2.0", id: 1, result: {} });
    answered("initialize", { protocolVersion: "2025-11-25" });
    expect(written).toEqual([]);
    answered("resources/subscribe", { uri: "a:" });
    expect(written).toMatchObject([{ initialize: {}, subscriptions: ["a:"] }]);
    answered("logging/setLevel", { level: "error" });
    expect(written[1]).toMatchObject({ logLevel: { level: "error" } });
  });

  test("is bounded: a subscription that is too much is not remembered, and the others are", () => {
    const { kept, answered } = record();
    answered("resources/subscribe", { uri: "a:" });
    answered("resources/subscribe", { uri: `b:${"x".repeat(64 * 1024)}` });
    for (let at = 0; at < 100; at++) answered("resources/subscribe", { uri: `${at}:${"x".repeat(1_000)}` });
    const uris = kept.handshake?.subscriptions ?? [];
    expect(uris[0]).toBe("a:");
    expect(uris.join("").length).toBeLessThanOrEqual(64 * 1024);
    expect(uris.length).toBeGreaterThan(60);
  });

  test("tells which log messages the client wants", () => {
    const { kept, answered } = record();
    const wants = (level: string): boolean =>
      kept.wants({ jsonrpc: "2.0", method: "notifications/message", params: { level, data: "" } });
    expect(wants("debug")).toBe(true);
    answered("logging/setLevel", { level: "error" });
    expect(["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"].filter(wants)).toEqual([
      "error",
      "critical",
      "alert",
      "emergency",
    ]);
    expect(kept.wants({ jsonrpc: "2.0", method: "notifications/progress", params: {} })).toBe(true);
  });
});
