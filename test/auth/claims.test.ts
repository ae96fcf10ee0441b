import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { bearer, GuardedSseClient } from "../support/guarded-client.ts";
import { postJson, RawStream, textOf } from "../support/raw-client.ts";

let edge: EdgeServer;
beforeAll(async () => {
  // Longer than a busy machine pauses, and short enough for who waits until it is over.
  edge = await startEdge("test/fixtures/guarded.ts", { options: { claimMs: 15_000 } });
});
afterAll(() => edge.close());

const alice = bearer("alice-key-1");
const aliceAgain = bearer("alice-key-2");
const bob = bearer("bob-key-1");

const call = (name: string, id: string) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: {} },
});

async function reconnectAs(headers: Record<string, string>, query = "") {
  const stream = await RawStream.open(`${edge.url}/sse${query}`, {
    headers: { ...headers, "mcp-protocol-version": "2025-11-25" },
    cache: "no-store",
  });
  return { stream, ping: await stream.message((message) => message["method"] === "ping") };
}

describe("a claim", () => {
  test("is not lost to another principal's session that made it first", async () => {
    const thief = await GuardedSseClient.openAs(edge.url, bob);
    const client = await GuardedSseClient.openAs(edge.url, alice);
    await client.call("memory", { value: "kept" });
    client.close();
    const { stream, ping } = await reconnectAs(alice);
    const answer = { jsonrpc: "2.0", id: ping["id"], result: {} };
    expect((await thief.post(answer)).status).toBe(202);
    expect((await client.post(answer)).status).toBe(202);
    expect((await client.post(call("memory", "m"))).status).toBe(202);
    expect(textOf(await stream.answerTo("m"))).toBe("kept");
    stream.close();
    thief.close();
  });

  test("by another principal's session of a stream whose ping it read takes nothing", async () => {
    const thief = await GuardedSseClient.openAs(edge.url, bob);
    const stream = await RawStream.open(`${edge.url}/sse`, {
      headers: { ...alice, "mcp-protocol-version": "2025-11-25" },
      cache: "no-store",
    });
    const ping = await stream.message((message) => message["method"] === "ping");
    expect((await thief.post({ jsonrpc: "2.0", id: ping["id"], result: {} })).status).toBe(202);
    // She gets the session that was made for her: nobody else's.
    const endpoint = await stream.next((event) => event.event === "endpoint");
    const client = new GuardedSseClient(edge.url, stream, {
      endpoint: new URL(endpoint.data, edge.url).href,
      headers: alice,
    });
    expect(String(ping["id"])).toContain(client.sessionId);
    await client.initialize();
    expect(textOf(await client.call("whoami"))).toContain('"user":"alice"');
    stream.close();
    thief.close();
  });

  test("of one's own session by a new key goes on in it", async () => {
    const client = await GuardedSseClient.openAs(edge.url, alice);
    await client.call("memory", { value: "kept" });
    client.close();
    const { stream, ping } = await reconnectAs(aliceAgain, "?keys=rotated");
    const rotated = `${client.endpoint}&keys=rotated`;
    const answer = { jsonrpc: "2.0", id: ping["id"], result: {} };
    expect((await postJson(rotated, answer, aliceAgain)).status).toBe(202);
    expect((await postJson(rotated, call("memory", "m"), aliceAgain)).status).toBe(202);
    expect(textOf(await stream.answerTo("m"))).toBe("kept");
    stream.close();
  });
});
