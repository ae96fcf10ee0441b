import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Inspection } from "../fixtures/inspectable.ts";
import { bearer, GuardedSseClient, openMcpAs, seen } from "../support/guarded-client.ts";
import { initialize, postJson, RawStream, textOf } from "../support/raw-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

/** A process that can be killed, with two isolates: the streams are in the first. */
let server: WorkerdProcess;
beforeAll(async () => {
  server = await startWorkerd({ main: "test/fixtures/guarded.ts", isSplit: true });
});
afterAll(() => server.close());

const alice = bearer("alice-key-1");
const bob = bearer("bob-key-1");

/** An id of a session that never existed, as far as anybody can tell. */
const unknownId = "0".repeat(64) + randomUUID().replaceAll("-", "");

const call = (name: string, id: string, args: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args },
});

/** What becomes of a session's object before a stranger comes. Whether its client's stream is still open then. */
const states: Record<string, (sessionId: string) => Promise<boolean>> = {
  "in memory": () => Promise.resolve(true),
  crashed: async (sessionId) => {
    await fetch(`${server.url}/test/abort?id=${sessionId}`);
    return true;
  },
  "killed with its process": async () => {
    await server.kill();
    await server.restart();
    return false;
  },
};

interface Session {
  sessionId: string;
  /** Of what its client read last. */
  lastEventId: string;
}

type Way = (base: string, session: Session) => Promise<Response>;

const events = { accept: "text/event-stream" };
const spoofed = { "mcp-edge-auth-caller": '{"principal":"alice","owner":"","authInfo":{}}', "mcp-edge-verb": "attach" };

const bySse =
  (message: unknown, headers: Record<string, string> = {}): Way =>
  (base, { sessionId }) =>
    postJson(`${base}/sse/message?sessionId=${sessionId}`, message, { ...bob, ...headers });

const byMcp =
  (init: { method?: string; message?: unknown; headers?: Record<string, string> }): Way =>
  (base, { sessionId }) => {
    const headers = { ...bob, "mcp-session-id": sessionId, "mcp-protocol-version": "2025-11-25", ...init.headers };
    return init.message === undefined
      ? fetch(`${base}/mcp`, { method: init.method ?? "GET", headers: { ...events, ...headers } })
      : postJson(`${base}/mcp`, init.message, headers);
  };

const answer = { jsonrpc: "2.0", id: 0, result: {} };
const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } };

/** What is said to it where nobody knows it. */
const ways: Record<"sse" | "mcp", [string, Way][]> = {
  sse: [
    ["a call", bySse(call("whoami", "w"))],
    ["a batch", bySse([call("whoami", "w"), call("whoami", "x")])],
    ["an answer", bySse(answer)],
    ["a notification", bySse(cancel)],
    ["initialize", bySse(initialize())],
    ["headers of ours", bySse(call("whoami", "w"), spoofed)],
    ["a call by the other transport", byMcp({ message: call("whoami", "w") })],
    ["DELETE by the other transport", byMcp({ method: "DELETE" })],
    [
      "a body that does not come",
      (base, { sessionId }) => withoutBody(`${base}/sse/message?sessionId=${sessionId}`, {}),
    ],
  ],
  mcp: [
    ["a call", byMcp({ message: call("whoami", "w") })],
    ["a batch", byMcp({ message: [call("whoami", "w"), call("whoami", "x")] })],
    ["an answer", byMcp({ message: answer })],
    ["a notification", byMcp({ message: cancel })],
    ["headers of ours", byMcp({ message: call("whoami", "w"), headers: spoofed })],
    ["GET", byMcp({})],
    ["DELETE", byMcp({ method: "DELETE" })],
    ["a call by the other transport", bySse(call("whoami", "w"))],
    ["a body that does not come", (base, { sessionId }) => withoutBody(`${base}/mcp`, { "mcp-session-id": sessionId })],
    [
      "GET with Last-Event-ID",
      (base, { sessionId, lastEventId }) =>
        byMcp({ headers: { "last-event-id": lastEventId.replace(/^[0-9a-f]{96}/, sessionId) } })(base, {
          sessionId,
          lastEventId,
        }),
    ],
  ],
};

/** A POST whose body does not come: what it is told without. */
async function withoutBody(url: string, headers: Record<string, string>): Promise<Response> {
  const length = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "content-length": 100,
  };
  const request = httpRequest(url, { method: "POST", headers: { ...length, ...bob, ...headers } });
  request.on("error", () => undefined);
  request.write("{");
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const told = new Response(await text(response), { status: response.statusCode ?? 0 });
  for (const [name, value] of Object.entries(response.headers)) told.headers.set(name, String(value));
  request.destroy();
  return told;
}

/** Asks in every way, by either isolate, and compares with what is said of a session that never was. */
async function expectNone(lane: "sse" | "mcp", session: Session): Promise<void> {
  for (const base of [server.url, server.otherUrl]) {
    for (const [name, ask] of ways[lane]) {
      const foreign = await seen(await ask(base, session));
      const unknown = await seen(await ask(base, { ...session, sessionId: unknownId }));
      expect([name, foreign]).toEqual([name, unknown]);
      expect([name, foreign.status]).toEqual([name, 404]);
    }
  }
}

describe.each(Object.entries(states))("to a stranger, a session whose object is %s is none in any way", (_, happen) => {
  test("over HTTP+SSE, in use", async () => {
    const client = await GuardedSseClient.openAs(server.url, alice);
    await client.call("memory", { value: "hers" });
    const { sessionId, stream } = client;
    const isOpen = await happen(sessionId);
    const read = stream.events.length;
    await expectNone("sse", { sessionId, lastEventId: stream.lastEventId });
    // By its last event a stranger gets a session of their own.
    for (const base of [server.url, server.otherUrl]) {
      const other = await RawStream.open(`${base}/sse`, { headers: { ...bob, "last-event-id": stream.lastEventId } });
      const { data } = await other.next(({ event }) => event === "endpoint");
      expect(data).not.toContain(sessionId.slice(0, 64));
      other.close();
    }
    if (!isOpen) {
      client.stream = await RawStream.open(`${server.url}/sse`, {
        headers: { ...alice, "last-event-id": stream.lastEventId },
      });
    }
    // All that was said on her stream is the answer to her.
    expect(textOf(await client.call("memory"))).toBe("hers");
    if (isOpen) expect(stream.events.slice(read).filter(({ data }) => !data.includes('"hers"'))).toEqual([]);
    client.stream.close();
  });

  test("over Streamable HTTP", async () => {
    const client = await openMcpAs(server.url, alice);
    const told = await client.callAsStream("slow", { ms: 500 });
    await expect.poll(() => told.lastEventId).not.toBe("");
    const { lastEventId } = told;
    await told.answerTo(1);
    await client.call("memory", { value: "hers" });
    await happen(client.sessionId);
    await expectNone("mcp", { sessionId: client.sessionId, lastEventId });
    expect(await (await client.call("memory")).text()).toContain("hers");
  });
});

test("to a stranger, a session over HTTP+SSE that was only opened is none after a crash, in any way", async () => {
  const client = await GuardedSseClient.connectAs(server.url, alice);
  await states["crashed"]?.(client.sessionId);
  const sockets = async (): Promise<number> => {
    const response = await fetch(`${server.url}/test/inspect?id=${client.sessionId}`);
    if (!response.ok) return 0;
    const inspection = (await response.json()) as Inspection;
    return inspection.sockets;
  };
  await expect.poll(sockets).toBe(1);
  await expectNone("sse", { sessionId: client.sessionId, lastEventId: client.stream.lastEventId });
  await client.initialize();
  expect(textOf(await client.call("whoami"))).toContain('"user":"alice"');
  client.close();
});
