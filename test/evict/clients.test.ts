import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import type { ClientRequest, OfficialClient } from "../support/official-clients.ts";
import { lanesOf } from "../clients/lanes.ts";

let edge: EdgeServer;

beforeAll(async () => {
  edge = await startEdge();
});

afterAll(() => edge?.close());

const names = [
  "/sse, SDK v1",
  "/sse, SDK v2",
  "/mcp, SDK v1",
  "/mcp, SDK v2",
  "POST /sse, SDK v1",
  "POST /sse, SDK v2",
];

/** A client of the lane `name`, which is closed at the end of its test. */
async function connect(name: string) {
  const lane = lanesOf({ base: edge.url, script: "" }).find((candidate) => candidate.name === name);
  if (lane === undefined) throw new Error(`There is no lane ${name}.`);
  const client = await lane.connect({
    elicit: (message) => ({ action: "accept", content: { answer: `Yes, ${message}` } }),
  });
  return {
    client,
    [Symbol.asyncDispose]: () => client.close(),
    /** Ends the object's time in memory, and makes sure that what answers afterwards is a new one. */
    async evict(): Promise<void> {
      const sessionId = client.sessionId() ?? "";
      const before = (await edge.inspect(sessionId)).constructions;
      await edge.evict(sessionId);
      expect((await edge.inspect(sessionId)).constructions).toBe(before + 1);
    },
  };
}

const call = (name: string, args: Record<string, unknown>): ClientRequest => ({
  method: "tools/call",
  params: { name, arguments: args },
});

const text = (value: string) => ({ content: [{ type: "text", text: value }] });

/** Counts down, and gives the parameters of the notifications of `method` that it caused. */
async function countdown(client: OfficialClient, method: string): Promise<Record<string, unknown>[]> {
  client.notifications.splice(0);
  await client.send(call("countdown", { from: 3, stepMs: 0 }), { onprogress: () => undefined });
  return client.notifications.flatMap((said) => (said.method === method ? [said.params ?? {}] : []));
}

// At the same time, because an eviction waits half a second for its object to be idle.
describe.concurrent.for(names)("a session whose object is evicted between two calls, on %s", (name) => {
  test("it remembers what it was told before", async () => {
    await using session = await connect(name);
    const { client, evict } = session;
    expect(await client.send(call("remember", { key: "colour", value: "blue" }))).toEqual(text("Remembered colour."));
    await evict();
    expect(await client.send(call("recall", { key: "colour" }))).toEqual(text("blue"));
    await evict();
    expect(await client.send(call("add", { a: 25, b: 25 }))).toEqual(text("50"));
  });

  test("it still asks its user, whose capability it was told once", async () => {
    await using session = await connect(name);
    const { client, evict } = session;
    await evict();
    expect(await client.send(call("ask", { question: "still there?" }))).toEqual(text("Yes, still there?"));
  });

  test("it still keeps to the logging level that its client set", async () => {
    await using session = await connect(name);
    const { client, evict } = session;
    expect(await countdown(client, "notifications/message")).toHaveLength(3);
    await client.send({ method: "logging/setLevel", params: { level: "warning" } });
    await evict();
    expect(await countdown(client, "notifications/message")).toHaveLength(0);
  });

  test("it still reports progress and answers a ping", async () => {
    await using session = await connect(name);
    const { client, evict } = session;
    await evict();
    const parts = await countdown(client, "notifications/progress");
    expect(parts.map(({ progress }) => progress)).toEqual([1, 2, 3]);
    await evict();
    expect(await client.send({ method: "ping" })).toEqual({});
  });
});
