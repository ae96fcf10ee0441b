import type { RequestId } from "@modelcontextprotocol/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Calls } from "../../src/session/calls/calls.ts";
import { LongCalls } from "../../src/session/calls/long-calls.ts";
import { ServerRequests } from "../../src/session/calls/server-requests.ts";
import { PostStream } from "../../src/session/out/post-stream.ts";
import type { Presence } from "../../src/session/out/presence.ts";
import { Streams } from "../../src/session/out/streams.ts";
import { resolveOptions } from "../../src/options.ts";

const startMs = 1_800_000_000_000;

/** A session's end of a relay's WebSocket, with its attachment. */
function relaySocket(): WebSocket {
  let attachment: unknown;
  const socket = {
    readyState: WebSocket.OPEN,
    close: () => undefined,
    serializeAttachment: (value: unknown) => (attachment = structuredClone(value)),
    deserializeAttachment: () => attachment,
  };
  return socket as unknown as WebSocket;
}

/** The streams of an object that begins to be, woken by nothing or with `sockets` that are open. */
function open(sockets: WebSocket[] = []): Streams {
  const ctx = { getWebSockets: () => sockets, acceptWebSocket: () => undefined };
  return new Streams(ctx as unknown as DurableObjectState, 1_000, startMs);
}

const relay = { openedAtMs: startMs, version: 2, holder: { secret: "", owner: "" } };

function post(streams: Streams, name: string): PostStream {
  return new PostStream({
    name,
    batch: false,
    sessionId: "session",
    maxStreamBacklogBytes: 1_000,
    keepAliveMs: 60_000,
    primingFrame: undefined,
    onRead: () => undefined,
    onLost: () => streams.close(name, startMs + 5),
  });
}

describe("whether a client is there", () => {
  test("is not known of a stream that this object has not seen, also once that stream is closed or has ended", () => {
    const streams = open();
    expect(streams.presenceOf("sse")).toEqual({ is: "unknown" });
    streams.close("sse", startMs);
    expect(streams.presenceOf("sse")).toEqual({ is: "unknown" });
    streams.end("sse");
    expect(streams.presenceOf("sse")).toEqual({ is: "unknown" });
  });

  test("it is while its stream is attached, away since the socket closed, and there again once it is back", () => {
    const streams = open();
    const [first, second] = [relaySocket(), relaySocket()];
    streams.attach("sse", first, relay);
    expect(streams.presenceOf("sse")).toEqual({ is: "here" });
    expect(streams.detach(first, startMs + 7)).toBe(true);
    expect(streams.presenceOf("sse")).toEqual({ is: "away", sinceMs: startMs + 7, openedAtMs: startMs });
    streams.attach("sse", second, relay);
    expect(streams.presenceOf("sse")).toEqual({ is: "here" });
  });

  test("it is still if the socket that closed was an earlier one", () => {
    const streams = open();
    const [first, second] = [relaySocket(), relaySocket()];
    streams.attach("sse", first, relay);
    streams.attach("sse", second, relay);
    expect(streams.detach(first, startMs + 7)).toBe(false);
    expect(streams.presenceOf("sse")).toEqual({ is: "here" });
  });

  test("it is on a socket that was open before this object was in memory", () => {
    const socket = relaySocket();
    open().attach("sse", socket, relay);
    expect(open([socket]).presenceOf("sse")).toEqual({ is: "here" });
  });

  test("it is away since its tool hung up, and remains so whatever is closed again", () => {
    const streams = open();
    streams.attach("mcp", relaySocket(), relay);
    streams.close("mcp", startMs + 3);
    streams.close("mcp", startMs + 9);
    expect(streams.presenceOf("mcp")).toEqual({ is: "away", sinceMs: startMs + 3 });
  });

  test("it is away since it left the answer to its POST, whose stream is forgotten", async () => {
    const streams = open();
    const answer = post(streams, "p1");
    streams.addPost(answer);
    expect(streams.presenceOf("p1")).toEqual({ is: "here" });
    answer.startEvents();
    await (await answer.response).body?.cancel();
    expect(streams.presenceOf("p1")).toEqual({ is: "away", sinceMs: startMs + 5 });
    expect(streams.post("p1")).toBeUndefined();
  });
});

describe("a long call is given up", () => {
  beforeEach(() => void vi.useFakeTimers({ now: startMs }));
  afterEach(() => void vi.useRealTimers());

  const settings = resolveOptions({ reconnectGraceMs: 3_000 });

  /** How long after its begin, milliseconds. */
  async function givenUpAfterMs(presenceAt: (nowMs: number) => Presence): Promise<number | undefined> {
    const clock = (): number => Date.now();
    const calls = new Calls();
    const begunAtMs = clock();
    calls.open({ jsonrpc: "2.0", id: 1, method: "tools/call" }, { stream: "sse" }, begunAtMs);
    let afterMs: number | undefined;
    const longCalls = new LongCalls({
      clock,
      calls,
      serverRequests: new ServerRequests(settings.maxWaitForClientMs),
      streams: { presenceOf: () => presenceAt(clock()) },
      settings,
      serverMessages: {
        emit: () => undefined,
        refuse: () => undefined,
        abandon: (id: RequestId) => {
          afterMs = clock() - begunAtMs;
          calls.close(id);
        },
      },
    });
    longCalls.start();
    await vi.advanceTimersByTimeAsync(20_000);
    longCalls.stop();
    return afterMs;
  }

  test("never while its client is there", async () => {
    expect(await givenUpAfterMs(() => ({ is: "here" }))).toBeUndefined();
  });

  test("once its client has been away for reconnectGraceMs", async () => {
    const sinceMs = startMs + 3_000;
    const presenceAt = (nowMs: number): Presence => (nowMs < sinceMs ? { is: "here" } : { is: "away", sinceMs });
    expect(await givenUpAfterMs(presenceAt)).toBe(6_000);
  });

  test("reconnectGraceMs after it began here, if nobody has seen its client since", async () => {
    expect(await givenUpAfterMs(() => ({ is: "unknown" }))).toBe(3_000);
  });
});
