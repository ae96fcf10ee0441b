import { setTimeout as passing } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { RawSseClient, RawStream, reconnect, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";

let bounded: EdgeServer;
/** A lost client is noticed after 6 s here, at the latest. */
let weighing: EdgeServer;
beforeAll(async () => {
  [bounded, weighing] = await Promise.all([
    startEdge("test/fixtures/bounded.ts"),
    startEdge("test/fixtures/slow-reader.ts"),
  ]);
});
afterAll(() => Promise.all([bounded.close(), weighing.close()]));

/** Its answers are in rows, and no call is. */
async function isStored(edge: EdgeServer, sessionId: string): Promise<void> {
  const rows = async (): Promise<string> => (await edge.inspect(sessionId)).rows.join();
  await expect.poll(rows).toMatch(/^(?!.*call\/).*outbox\//);
}

describe.concurrent("an answer that may not have arrived is there for a client", () => {
  test("that claims its session after long, from an object that was evicted meanwhile", async () => {
    const client = await RawSseClient.open(weighing.url);
    // It does not arrive, let us say: the connection is dead.
    const early = await client.call("weigh", { n: 1, bytes: 1 });
    const late = await client.send("tools/call", { name: "weigh", arguments: { n: 2, bytes: 1, ms: 500 } });
    client.close();
    await isStored(weighing, client.sessionId);
    await weighing.evict(client.sessionId);
    await passing(6_500);
    const { stream, ping } = await reconnect(weighing.url);
    await client.post({ jsonrpc: "2.0", id: ping["id"], result: {} });
    expect(textOf(await stream.answerTo(early["id"] as number))).toBe("1:x");
    expect(textOf(await stream.answerTo(late))).toBe("2:x");
    stream.close();
  });

  test("that was not there when it was made, however long it is away", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const listening = await client.listen();
    // Long enough to notice that nobody is there.
    const cut = await client.callAsStream("wait", { ms: 900 });
    await expect.poll(() => cut.lastEventId).not.toBe("");
    cut.close();
    await isStored(bounded, client.sessionId);
    await bounded.evict(client.sessionId);
    // What was handed over is forgotten after a second here, at the end of the next burst.
    await passing(1_100);
    await client.call("add_tool", { name: "another" });
    await listening.message();
    await bounded.evict(client.sessionId);
    const resumed = await client.listen(cut.lastEventId);
    expect(textOf(await resumed.answerTo(1))).toBe("waited");
    listening.close();
  });

  test("whose stream was cut again after its resume, and whose object was evicted", async () => {
    const client = await RawSseClient.open(weighing.url);
    await client.call("weigh", { n: 1, bytes: 1 });
    const headers = { "last-event-id": client.stream.lastEventId };
    const { id } = (await client.call("weigh", { n: 2, bytes: 1 })) as { id: number };
    // Evicted only when nothing is left to do: also not to keep what was sent.
    await weighing.evict(client.sessionId);
    // It knows nothing of the answer, nor does anybody know that its first two streams are dead.
    const second = await RawStream.open(`${weighing.url}/sse`, { headers });
    await second.answerTo(id);
    await weighing.evict(client.sessionId);
    const third = await RawStream.open(`${weighing.url}/sse`, { headers });
    expect(textOf(await third.answerTo(id))).toBe("2:x");
    for (const stream of [client.stream, second, third]) stream.close();
  });

  test("long after, and its object crashes before the client comes back", async () => {
    const client = await RawSseClient.open(weighing.url);
    await client.call("weigh", { n: 1, bytes: 1 });
    const headers = { "last-event-id": client.stream.lastEventId };
    const { id } = (await client.call("weigh", { n: 2, bytes: 1 })) as { id: number };
    await passing(11_000);
    await weighing.abort(client.sessionId);
    const next = await RawStream.open(`${weighing.url}/sse`, { headers });
    expect(textOf(await next.answerTo(id))).toBe("2:x");
    for (const stream of [client.stream, next]) stream.close();
  });
});
