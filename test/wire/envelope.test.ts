import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { patient } from "../support/patient.ts";
import { RawSseClient, textOf } from "../support/raw-client.ts";

let edge: EdgeServer;
let client: RawSseClient;
beforeAll(async () => {
  edge = await startEdge("test/fixtures/small-bounds.ts", { options: patient });
  client = await RawSseClient.open(edge.url);
});
afterAll(async () => {
  client.close();
  await edge.close();
});

const ping = { jsonrpc: "2.0", id: 1, method: "ping" };

/** What the SDK would drop without a word, and its sender would wait for. */
test.each([
  ["an id that no double holds", { ...ping, id: 2 ** 53 }, /2\^53 - 1/],
  ["a member too many", { ...ping, timestamp: 1 }, /no other members/],
  ["a request with a result", { ...ping, result: null }, /no other members/],
  ["an answer with a member too many", { jsonrpc: "2.0", id: 1, result: {}, error: null }, /a result or an error/],
  ["_meta that is null", { ...ping, params: { _meta: null } }, /_meta must be an object/],
  ["a progress token that is null", { ...ping, params: { _meta: { progressToken: null } } }, /progressToken/],
])("%s is refused with 400 and what to change", async (_name, body, says) => {
  const response = await client.post(body);
  const { error } = (await response.json()) as { error: { code: number; message: string } };
  expect([response.status, error.code]).toEqual([400, -32_600]);
  expect(error.message).toMatch(says);
  expect(textOf(await client.call("echo", { text: "alive" }))).toBe("alive");
});

test("a batch that has an id twice is refused with 400, and neither runs", async () => {
  const response = await client.post([
    { ...ping, id: "twice" },
    { ...ping, id: "twice" },
  ]);
  expect(response.status).toBe(400);
  expect(await response.text()).toMatch(/Use a new id/);
  expect(textOf(await client.call("echo", { text: "alive" }))).toBe("alive");
});

test("a request that is named like a notification is answered, and cancels nothing", async () => {
  const requestId = await client.send("tools/call", { name: "wait", arguments: { ms: 400 } });
  const error = { code: -32_601, message: "Method not found" };
  expect(await client.request("notifications/cancelled", { requestId })).toMatchObject({ error });
  expect(await client.request("notifications/progress", { progressToken: 1 })).toMatchObject({ error });
  const params = { requestId, reason: 5 };
  expect((await client.post({ jsonrpc: "2.0", method: "notifications/cancelled", params })).status).toBe(202);
  expect(textOf(await client.stream.answerTo(requestId))).toBe("waited");
});
