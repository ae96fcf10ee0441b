import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RelaySocket } from "../../src/session/out/relay-socket.ts";
import { packFrame, unpackFrame } from "../../src/link/link.ts";

const decoder = new TextDecoder();

/** A relay's socket, and what went over it, as its relay reads it. */
function openSocket(maxStreamBacklogBytes = 1_000_000) {
  const sent: { text: string; sequence: number; bytes: number }[] = [];
  const socket = {
    send(data: Uint8Array<ArrayBuffer>) {
      const { sequence, frame, isHeld, post } = unpackFrame(data);
      expect([isHeld, post]).toEqual([false, 0]);
      sent.push({ text: decoder.decode(frame), sequence, bytes: data.byteLength });
    },
    close: () => void sent.push({ text: "closed", sequence: 0, bytes: 0 }),
    serializeAttachment: () => undefined,
    deserializeAttachment: () => ({}),
  };
  const relay = new RelaySocket(socket as unknown as WebSocket, { openedAtMs: 0, version: 2 }, maxStreamBacklogBytes);
  const tell = (sequence: number, text = `${sequence};`) => relay.send(packFrame(sequence, text), sequence, "passing");
  return { relay, sent, tell };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("what a tool tells in one turn", () => {
  test("goes together behind the first, which goes at once, and the next turn's by itself", async () => {
    const { sent, tell } = openSocket();
    for (const sequence of [1, 2, 3, 4]) expect(tell(sequence)).toBe("sent");
    expect(sent).toMatchObject([{ text: "1;", sequence: 1 }]);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toMatchObject([{ sequence: 1 }, { text: "2;3;4;", sequence: 4 }]);
    tell(5);
    expect(sent.at(-1)).toMatchObject({ text: "5;", sequence: 5 });
  });

  test.each(["response", "request", "notification"] as const)("is not overtaken by a %s", (kind) => {
    const { relay, sent, tell } = openSocket();
    for (const sequence of [1, 2, 3]) tell(sequence);
    relay.send(packFrame(4, "answer;"), 4, kind);
    tell(5);
    relay.close(1_000, "over");
    expect(sent.map(({ text }) => text)).toEqual(["1;", "2;3;", "answer;", "5;", "closed"]);
  });

  test("goes in pieces if it is long", () => {
    const { sent, tell } = openSocket();
    for (let sequence = 1; sequence <= 100; sequence++) tell(sequence, "x".repeat(1_000));
    expect(sent.length).toBeGreaterThan(4);
    expect(Math.max(...sent.map(({ bytes }) => bytes))).toBeLessThan(20_000);
  });

  test("counts as its relay counts it: whoever waits for a confirmation is ahead by what makes a relay confirm", async () => {
    const { relay, sent, tell } = openSocket(10_000);
    let sequence = 0;
    const outcomes = new Set<string>();
    for (let turn = 0; turn < 40; turn++) {
      for (let part = 0; part < 7; part++) outcomes.add(tell(++sequence, "x".repeat(90)));
      await vi.advanceTimersByTimeAsync(0);
    }
    const bytes = sent.reduce((total, one) => total + one.bytes, 0);
    expect([...outcomes]).toEqual(["sent", "waiting"]);
    expect(bytes).toBeGreaterThanOrEqual(5_000);
    expect(bytes).toBeLessThanOrEqual(10_000);
    relay.confirm();
    expect(tell(++sequence)).toBe("sent");
  });
});
