import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { RawSseClient, RawStream, textOf } from "../support/raw-client.ts";
import { logName } from "../support/log-name.ts";
import { patient } from "../support/patient.ts";

let edge: EdgeServer;
/** Its sessions end soon after their clients have left. */
let brief: EdgeServer;
beforeAll(async () => {
  const main = "test/fixtures/small-bounds.ts";
  [edge, brief] = await Promise.all([
    // That a client has left is found out by keep-alives.
    startEdge(main, { options: { ...patient, keepAliveMs: 200 } }),
    startEdge(main, { options: { sessionIdleMs: 5_000 } }),
  ]);
});
afterAll(() => Promise.all([edge.close(), brief.close()]));

const handshake = { lane: "sse", subscriptions: [], initialize: { protocolVersion: "2025-11-25", capabilities: {} } };

/** A session whose object is to find `value` at `key` when it is built the next time. */
async function sessionWith(key: string, value: unknown, server = edge): Promise<RawSseClient> {
  const client = await RawSseClient.open(server.url);
  await client.call("echo", { text: "stored" });
  client.close();
  // Its alarm is that of a session without a client, once the object knows that it has none.
  await expect.poll(async () => (await server.inspect(client.sessionId)).sockets).toBe(0);
  // What this object still has to write, it is not to write over that.
  await server.abort(client.sessionId);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const query = `id=${client.sessionId}&key=${key}&value=${encodeURIComponent(text)}`;
  const { ok } = await fetch(`${server.url}/test/rewrite?${query}`);
  await server.abort(client.sessionId);
  // Once more, if the machine took so long that the session has ended, and its table with it.
  return ok ? client : await sessionWith(key, value, server);
}

const request = { jsonrpc: "2.0", id: 1, method: "ping" };
const journaled = { request, stream: "sse", url: "http://localhost/", headers: [] };

const unreadable: [string, string, unknown][] = [
  ["a handshake of a newer format", "handshake", { ...handshake, format: 1_000 }],
  ["a handshake whose format is no number", "handshake", { ...handshake, format: "newest" }],
  ["a handshake that is no JSON", "handshake", "{"],
  ["a handshake that is no object", "handshake", []],
  ["a handshake without its transport", "handshake", { ...handshake, lane: "carrier pigeon" }],
  ["a handshake without its subscriptions", "handshake", { lane: "sse" }],
  ["a journaled call that is no JSON", "call/0000000000000001.0", "?"],
  [
    "a journaled call without its request",
    "call/0000000000000001.0",
    { stream: "sse", url: "http://localhost/", headers: [] },
  ],
  ["a journaled call whose URL is none", "call/0000000000000001.0", { ...journaled, url: "?" }],
  ["a journaled call whose headers are none", "call/0000000000000001.0", { ...journaled, headers: [["a b", "c"]] }],
  ["a journaled call of nobody", "call/0000000000000001.0", { ...journaled, caller: "?" }],
  ["a handshake whose questions are no list", "handshake", { ...handshake, questions: 1 }],
  ["a burst of messages that is none", "outbox/0000000000000001", "text"],
];

const linesOf = (sessionId: string, server = edge): string[] =>
  server.logs().filter((line) => line.includes('"unreadable"') && line.includes(logName(sessionId)));

test.each(unreadable)("%s: one line in the log, nothing is left, and its client is told 404", async (_, key, value) => {
  const client = await sessionWith(key, value);
  const response = await client.post({ jsonrpc: "2.0", id: 1, method: "ping" });
  expect([response.status, await response.text()]).toEqual([404, expect.stringContaining("Connect again")]);
  expect(await edge.inspect(client.sessionId)).toMatchObject({ rows: [], alarmAtMs: null });
  // A client that comes back by the id of its last event gets another session.
  const again = await RawStream.open(`${edge.url}/sse`, { headers: { "last-event-id": client.stream.lastEventId } });
  const { data } = await again.next();
  expect(data).not.toContain(client.sessionId);
  again.close();
  await expect.poll(() => linesOf(client.sessionId)).toEqual([expect.stringContaining(`the row ${key}`)]);
});

test("nobody comes back to one: it is deleted all the same", async () => {
  const { sessionId } = await sessionWith("handshake", { ...handshake, format: 1_000 }, brief);
  await expect.poll(() => brief.inspect(sessionId)).toMatchObject({ rows: [], alarmAtMs: null });
  await expect.poll(() => linesOf(sessionId, brief)).toHaveLength(1);
});

test("a handshake of the format before has no number, and is read", async () => {
  const { sessionId, endpoint, stream } = await sessionWith("handshake", handshake);
  // Nor has the id of its session a secret.
  const oldId = sessionId.slice(0, 64);
  const headers = { "last-event-id": stream.lastEventId.replace(sessionId, oldId) };
  const resumed = await RawStream.open(`${edge.url}/sse`, { headers });
  const client = new RawSseClient(edge.url, resumed, endpoint.replace(sessionId, oldId));
  expect(textOf(await client.call("echo", { text: "the same session" }))).toBe("the same session");
  expect(linesOf(sessionId)).toEqual([]);
  client.close();
});
