import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AttachTarget } from "../../src/edge/attach.ts";
import { Patience } from "../../src/edge/patience.ts";
import { StreamRelay } from "../../src/edge/relay.ts";
import { Uplink } from "../../src/edge/uplink.ts";
import { resolveOptions } from "../../src/options.ts";
import { messageFrame } from "../../src/protocol/sse-frame.ts";
import { closeCode, packFrame } from "../../src/link/link.ts";
import { FakeSocket, readText } from "../support/fake-socket.ts";

const sessionId = "0".repeat(64);

/** A relay whose every WebSocket is in the test's hand. */
async function openRelay({ uplink }: { uplink?: Uplink } = {}) {
  const sockets: FakeSocket[] = [];
  const targets: AttachTarget[] = [];
  const attach = (target: AttachTarget): Promise<WebSocket> => {
    const socket = new FakeSocket();
    sockets.push(socket);
    targets.push(target);
    return Promise.resolve(socket as unknown as WebSocket);
  };
  const response = await StreamRelay.open(
    {
      source: { attach, giveBack: () => Promise.resolve(), uplink },
      target: { sessionId, session: "new", position: undefined },
      settings: resolveOptions({}),
    },
    { preamble: () => "" },
  );
  return { sockets, targets, ...readText(response) };
}

function say(socket: FakeSocket | undefined, sequence: number): void {
  socket?.receive(packFrame(sequence, messageFrame(`{"said":${sequence}}`, String(sequence))).slice().buffer);
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a relay attaches again, where its client is, and hears nothing more of the old WebSocket", () => {
  test("if that fails without a close", async () => {
    const { sockets, targets, written, reader, reading } = await openRelay();
    const [first] = sockets;
    say(first, 1);
    first?.fail();
    await vi.advanceTimersByTimeAsync(0);
    expect(targets[1]).toEqual({ sessionId, session: "stored", position: { after: 1, saidBy: "relay" } });
    say(first, 2);
    first?.break(closeCode.superseded);
    say(sockets[1], 3);
    await vi.advanceTimersByTimeAsync(0);
    expect(written().match(/"said":\d/g)).toEqual(['"said":1', '"said":3']);
    expect(sockets).toHaveLength(2);
    await reader?.cancel();
    await reading;
  });

  test("if a POST went there of which nothing is heard", async () => {
    const uplink = new Uplink("");
    const { sockets, targets, written, reader, reading } = await openRelay({ uplink });
    const [first] = sockets;
    say(first, 1);
    const carried = uplink.carry(sessionId, { head: "http://localhost/", text: "{}" }, new Patience(1_000));
    await vi.advanceTimersByTimeAsync(999);
    expect(targets).toHaveLength(1);
    expect(first?.sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await carried).toEqual({ receipt: undefined, key: uplink.lastKey });
    await vi.advanceTimersByTimeAsync(1);
    expect(targets[1]).toEqual({ sessionId, session: "stored", position: { after: 1, saidBy: "relay" } });
    say(first, 2);
    say(sockets[1], 2);
    await vi.advanceTimersByTimeAsync(0);
    expect(written().match(/"said":\d/g)).toEqual(['"said":1', '"said":2']);
    void uplink.carry(sessionId, { head: "http://localhost/", text: "{}" }, new Patience(1_000));
    await vi.advanceTimersByTimeAsync(0);
    expect(first?.sent).toHaveLength(1);
    expect(sockets[1]?.sent).toHaveLength(1);
    await reader?.cancel();
    await reading;
  });
});
