import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { bearer, GuardedSseClient, openMcpAs, seen } from "../support/guarded-client.ts";
import { initialize, postJson, RawStream, reconnect, textOf } from "../support/raw-client.ts";
import type { RawMcpClient } from "../support/raw-mcp-client.ts";

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge("test/fixtures/guarded.ts");
});
afterAll(() => edge.close());

const alice = bearer("alice-key-1");
const aliceAgain = bearer("alice-key-2");
const bob = bearer("bob-key-1");

const call = (name: string, id: number | string = 1, args: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args },
});

/** What a session goes through before a stranger comes. */
const events: Record<string, (sessionId: string) => Promise<void>> = {
  awake: () => Promise.resolve(),
  hibernated: (sessionId) => edge.evict(sessionId),
  crashed: (sessionId) => edge.abort(sessionId),
};

/** An id of a session that never existed, as far as anybody can tell. */
const unknownId = `${"0".repeat(64)}${randomUUID().replaceAll("-", "")}`;

const asUnknown = (url: string): string => url.replace(/sessionId=\w+/, `sessionId=${unknownId}`);

async function expectSilence(stream: RawStream): Promise<void> {
  const seenSoFar = stream.events.length;
  // What was said before this comment has arrived with it.
  const comments = stream.comments.length;
  await expect.poll(() => stream.comments.length).toBeGreaterThan(comments + 1);
  expect(stream.events.slice(seenSoFar)).toEqual([]);
}

describe.each(Object.entries(events))(
  "to another principal a session over HTTP+SSE that is %s is none",
  (_, happen) => {
    const sent: [string, unknown, Record<string, string>][] = [
      ["a call", call("whoami"), {}],
      ["a batch", [call("whoami", 1), call("whoami", 2)], {}],
      ["an answer", { jsonrpc: "2.0", id: 0, result: {} }, {}],
      ["a notification", { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } }, {}],
      ["initialize", initialize(), {}],
      ["no JSON", "{", {}],
      ["a call with headers of ours", call("whoami"), { "mcp-edge-auth-caller": "{}", "mcp-edge-verb": "sse-again" }],
    ];

    test.each(["before initialize", "in use"])("%s", async (when) => {
      const client = await GuardedSseClient.connectAs(edge.url, alice);
      if (when === "in use") await client.initialize();
      await happen(client.sessionId);
      // A crash before initialize is noticed by the relay, which attaches again.
      if (when !== "in use") await expect.poll(async () => (await edge.inspect(client.sessionId)).sockets).toBe(1);
      for (const [, message, headers] of sent) {
        const foreign = await seen(await postJson(client.endpoint, message, { ...bob, ...headers }));
        const unknown = await seen(await postJson(asUnknown(client.endpoint), message, { ...bob, ...headers }));
        expect(foreign).toEqual(unknown);
        expect(foreign.status).toBe(404);
        expect(foreign.body).toContain("-32001");
      }
      await expectSilence(client.stream);
      if (when !== "in use") await client.initialize();
      expect(textOf(await client.call("whoami"))).toContain('"user":"alice"');
      client.close();
    });
  },
);

async function openedMcp(happen: (sessionId: string) => Promise<void>): Promise<RawMcpClient> {
  const client = await openMcpAs(edge.url, alice);
  await happen(client.sessionId);
  return client;
}

describe.each(Object.entries(events))(
  "to another principal a session over Streamable HTTP that is %s is none",
  (_, happen) => {
    test.each([
      ["POST", call("whoami")],
      ["POST", [call("whoami")]],
      ["POST", { jsonrpc: "2.0", id: 0, result: {} }],
      ["GET", undefined],
      ["DELETE", undefined],
    ])("%s %j", async (method, body) => {
      const client = await openedMcp(happen);
      const listening = await client.listen();
      const ask = (sessionId: string): Promise<Response> =>
        fetch(client.url, {
          method,
          headers: {
            ...client.headers,
            ...bob,
            "mcp-session-id": sessionId,
            accept: "application/json, text/event-stream",
            "content-type": "application/json",
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
      const foreign = await seen(await ask(client.sessionId));
      expect(foreign).toEqual(await seen(await ask(unknownId)));
      expect(foreign.status).toBe(404);
      await expectSilence(listening);
      expect(await (await client.call("whoami")).text()).toContain("alice");
      listening.close();
    });
  },
);

test("Last-Event-ID of another's session opens a new one, and the owner's stream stays", async () => {
  const client = await GuardedSseClient.openAs(edge.url, alice);
  await client.call("whoami");
  const headers = { ...bob, "last-event-id": client.stream.lastEventId };
  const foreign = await GuardedSseClient.connectAs(edge.url, headers);
  expect(foreign.sessionId).not.toBe(client.sessionId);
  await expectSilence(client.stream);
  expect(textOf(await client.call("whoami"))).toContain("alice");
  client.close();
  foreign.close();
});

test("a stream of Streamable HTTP is not resumed by another principal", async () => {
  const client = await openMcpAs(edge.url, alice);
  const calling = await RawStream.open(client.url, {
    method: "POST",
    headers: { ...client.headers, "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify(call("slow", "s", { ms: 1_500 })),
  });
  await expect.poll(() => calling.lastEventId).not.toBe("");
  const lastEventId = calling.lastEventId;
  const foreign = await fetch(client.url, {
    headers: { ...client.headers, ...bob, accept: "text/event-stream", "last-event-id": lastEventId },
  });
  expect(foreign.status).toBe(404);
  expect(await calling.answerTo("s")).toMatchObject({ result: { content: [{ text: expect.any(String) }] } });
});

test("a new key of the same principal goes on: POST, resume, and DELETE", async () => {
  const client = await GuardedSseClient.openAs(edge.url, alice);
  await client.call("memory", { value: "kept" });
  const rotated = `${client.endpoint}&keys=rotated`;
  expect((await postJson(rotated, call("whoami", "a"), aliceAgain)).status).toBe(202);
  expect(textOf(await client.stream.answerTo("a"))).toContain("alice");
  client.close();
  const resumed = await GuardedSseClient.connectAsResumed(edge.url, client, aliceAgain);
  expect((await postJson(rotated, call("memory", "b"), aliceAgain)).status).toBe(202);
  expect(textOf(await resumed.answerTo("b"))).toBe("kept");
  resumed.close();
  const mcp = await openMcpAs(edge.url, alice);
  const headers = { ...mcp.headers, ...aliceAgain };
  expect((await fetch(`${mcp.url}?keys=rotated`, { method: "DELETE", headers })).status).toBe(204);
  // The old key is nobody's now.
  expect((await postJson(rotated, call("whoami", "c"), alice)).status).toBe(401);
});

test("two principals at once see each only itself, whatever their names are written in", async () => {
  const kanji = "Älice ✓ 漢字";
  const clients = await Promise.all(
    [alice, bob, ...["kanji-key-1", "proto-key-1", "constructor-key-1"].map(bearer)].map((headers) =>
      GuardedSseClient.openAs(edge.url, headers),
    ),
  );
  const names = ["alice", "bob", kanji, "__proto__", "constructor"];
  const rounds = await Promise.all(
    Array.from({ length: 20 }, () => Promise.all(clients.map((client) => client.call("whoami")))),
  );
  const saw = rounds.map((answers) => answers.map((answer) => JSON.parse(textOf(answer)) as { user: string }));
  const expected = names.map((name) => ({ user: name, client: name }));
  expect(saw.filter((round) => JSON.stringify(round) !== JSON.stringify(expected))).toEqual([]);
  for (const client of clients) client.close();
});

test("without a login the id that stands in logs, an object's, is no key to its session", async () => {
  const open = await startEdge("test/fixtures/example.ts");
  try {
    const { stream, ping } = await reconnect(open.url);
    expect(ping["id"]).toMatch(/^claim:[0-9a-f]{96}\.0$/);
    stream.close();
    const mcp = await openMcpAs(open.url, {});
    const objectId = mcp.sessionId.slice(0, 64);
    const otherDigit = mcp.sessionId.endsWith("0") ? "1" : "0";
    for (const guess of [objectId, objectId + "0".repeat(32), mcp.sessionId.slice(0, 95) + otherDigit]) {
      const headers = { ...mcp.headers, "mcp-session-id": guess };
      const answers = await Promise.all([
        postJson(mcp.url, call("add", 1, { a: 1, b: 1 }), headers),
        fetch(mcp.url, { headers: { ...headers, accept: "text/event-stream" } }),
        fetch(mcp.url, { method: "DELETE", headers }),
        postJson(`${open.url}/sse/message?sessionId=${guess}`, call("add"), {}),
      ]);
      expect(answers.map(({ status }) => status).filter((status) => status !== 404)).toEqual([]);
    }
    expect((await mcp.call("add", { a: 25, b: 25 })).status).toBe(200);
  } finally {
    await open.close();
  }
});
