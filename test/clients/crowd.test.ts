import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { connectV1, connectV2 } from "../support/official-clients.ts";
import { initialize, postJson, RawSseClient, textOf } from "../support/raw-client.ts";

let edge: EdgeServer;

beforeAll(async () => {
  edge = await startEdge();
});

afterAll(() => edge?.close());

test("100 sessions that use the same JSON-RPC ids at once see only their own answers", async () => {
  const clients = await Promise.all(Array.from({ length: 100 }, () => RawSseClient.open(edge.url)));
  try {
    // The raw client counts its ids from 1, so the three requests have the same ids in each session.
    const answers = clients.map(async (client, at) => {
      const own = `value of ${at}`;
      const [sum, remembered, counted] = await Promise.all([
        client.call("add", { a: at, b: 1_000 }),
        client.call("remember", { key: "own", value: own }),
        client.call("countdown", { from: 1 + (at % 3), stepMs: 1 }),
      ]);
      const recalled = await client.call("recall", { key: "own" });
      expect([sum, remembered, counted, recalled].map(({ id }) => id)).toEqual([1, 2, 3, 4]);
      return [sum, counted, recalled].map(textOf);
    });
    expect(await Promise.all(answers)).toEqual(
      clients.map((_, at) => [String(at + 1_000), `Counted down from ${1 + (at % 3)}.`, `value of ${at}`]),
    );
    // What is left on the streams is what the countdowns logged: nobody got a message twice, or somebody else's.
    const left = clients.map(({ stream }) => stream.events.map(({ data }) => JSON.parse(data).method as unknown));
    expect(left).toEqual(clients.map((_, at) => Array.from({ length: 1 + (at % 3) }, () => "notifications/message")));
    expect(new Set(clients.map(({ sessionId }) => sessionId)).size).toBe(100);
  } finally {
    for (const client of clients) client.close();
  }
});

test.for([
  ["SDK v1", "sse"],
  ["SDK v2", "sse"],
  ["SDK v1", "http"],
  ["SDK v2", "http"],
] as const)("20 clients of %s over %s at once get their own answers", async ([sdk, transport]) => {
  const url = `${edge.url}/${transport === "sse" ? "sse" : "mcp"}`;
  const connect = () => (sdk === "SDK v1" ? connectV1(url, transport) : connectV2(url, transport));
  const clients = await Promise.all(Array.from({ length: 20 }, connect));
  try {
    const sums = clients.flatMap((client, at) =>
      [1, 2, 3].map((b) =>
        client.send({ method: "tools/call", params: { name: "add", arguments: { a: at * 10, b } } }),
      ),
    );
    expect(await Promise.all(sums)).toEqual(
      clients.flatMap((_, at) => [1, 2, 3].map((b) => ({ content: [{ type: "text", text: String(at * 10 + b) }] }))),
    );
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
});

test("initialize and 20 calls sent in parallel over HTTP+SSE are each answered once", async () => {
  const client = await RawSseClient.connect(edge.url);
  try {
    const posts = [client.post(initialize()), ...Array.from({ length: 20 }, (_, at) => client.post(addition(at)))];
    expect((await Promise.all(posts)).map(({ status }) => status)).toEqual(Array.from({ length: 21 }, () => 202));
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => client.stream.answerTo(at)));
    expect(answers.map(textOf)).toEqual(Array.from({ length: 20 }, (_, at) => String(at + 25)));
    const { result } = await client.stream.answerTo("initialize");
    expect(result).toMatchObject({ serverInfo: { name: "mcp-edge" } });
    // A further round trip on the same stream: whatever was answered twice has arrived by now.
    await client.request("ping");
    expect(client.stream.events).toEqual([]);
  } finally {
    client.close();
  }
});

test("20 calls sent in parallel right after initialize over Streamable HTTP are each answered once", async () => {
  const opened = await postJson(`${edge.url}/mcp`, initialize());
  await opened.text();
  const headers = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "" };
  // `notifications/initialized` is under way with the calls, not before them.
  const ready = postJson(`${edge.url}/mcp`, { jsonrpc: "2.0", method: "notifications/initialized" }, headers);
  const answers = Array.from({ length: 20 }, async (_, at) => {
    const response = await postJson(`${edge.url}/mcp`, addition(at), headers);
    const answer: Record<string, unknown> = JSON.parse(await response.text());
    return answer;
  });
  const received = await Promise.all(answers);
  expect(received.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, at) => at));
  expect(received.map(textOf)).toEqual(Array.from({ length: 20 }, (_, at) => String(at + 25)));
  expect((await ready).status).toBe(202);
});

const addition = (id: number) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name: "add", arguments: { a: id, b: 25 } },
});
