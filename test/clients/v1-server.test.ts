import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import type { OfficialClient, User } from "../support/official-clients.ts";
import { postJson } from "../support/raw-client.ts";
import { type Lane, lanesOf, normalised, outcomeOf } from "./lanes.ts";

const user: User = {
  elicit: (question) => ({ action: "accept", content: { answer: question === "How many?" ? 50 : "blue" } }),
  sample: (prompt) => `The model says: ${prompt}`,
};

let edge: EdgeServer;

beforeAll(async () => {
  edge = await startEdge("test/fixtures/v1.ts");
});

afterAll(() => edge?.close());

/** The lanes that have sessions: all that SDK v1 speaks. */
const edgeLanes = ["/sse, SDK v1", "/sse, SDK v2", "/mcp, SDK v1", "/mcp, SDK v2"];
const sessionLanes = ["stdio", ...edgeLanes];

const laneNamed = (name: string): Lane => {
  const lane = lanesOf({ base: edge.url, script: "test/fixtures/v1-stdio.ts" }).find(
    (candidate) => candidate.name === name,
  );
  if (lane === undefined) throw new Error(`There is no lane ${name}.`);
  return lane;
};

describe.for(sessionLanes)("a server of SDK v1 on %s", (name) => {
  let client: OfficialClient;

  beforeAll(async () => {
    client = await laneNamed(name).connect(user);
  });

  afterAll(() => client?.close());

  const call = async (tool: string, args: Record<string, unknown> = {}) =>
    normalised(await outcomeOf(client.send({ method: "tools/call", params: { name: tool, arguments: args } })));
  const gives = (text: string) => ({ result: { content: [{ type: "text", text }] } });

  test("it lists its tools and answers a call", async () => {
    const { tools } = (await client.send({ method: "tools/list" })) as { tools: { name: string }[] };
    expect(tools.map((tool) => tool.name)).toEqual(["add", "whoami", "count", "ask", "sample"]);
    expect(await call("add", { a: 25, b: 25 })).toEqual(gives("50"));
    expect(client.serverInfo()).toMatchObject({ name: "v1", version: "1.0.0" });
  });

  test("it refuses an argument and names it", async () => {
    const { result } = await call("add", { a: 1, b: 0.5 });
    expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/expected int.* at b$/) }] });
  });

  test("its tools know the session, but not the secret of its id", async () => {
    expect(await call("whoami")).toEqual(gives(JSON.stringify({ sessionId: client.sessionId()?.slice(0, 64) })));
  });

  test("its progress and log messages arrive in order", async () => {
    client.notifications.splice(0);
    const params = { name: "count", arguments: { to: 3 } };
    await client.send({ method: "tools/call", params }, { onprogress: () => undefined });
    // Log messages of SDK v1 name no request, so over Streamable HTTP they come on a stream of their own.
    await vi.waitFor(() => expect(client.notifications).toHaveLength(6), { timeout: 90_000, interval: 5 });
    const said = (method: string, key: string) =>
      client.notifications.flatMap((notification) =>
        notification.method === method ? [notification.params?.[key]] : [],
      );
    expect(said("notifications/progress", "progress")).toEqual([1, 2, 3]);
    expect(said("notifications/message", "data")).toEqual([1, 2, 3]);
  });

  test("it asks the user and the client's model", async () => {
    expect(await call("ask", { question: "Which colour?" })).toEqual(gives("blue"));
    const content = { type: "text", text: "The model says: tides" };
    expect(await call("sample", { prompt: "tides" })).toEqual(gives(JSON.stringify(content)));
  });

  test("an answer of its user that does not match the schema is told to the tool", async () => {
    const { result } = await call("ask", { question: "How many?" });
    expect(result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/answer.*string/s) }],
    });
  });

  test("it serves a resource", async () => {
    const read = { method: "resources/read", params: { uri: "about://v1" } } as const;
    expect(await client.send(read)).toMatchObject({ contents: [{ uri: "about://v1", text: "of SDK v1" }] });
  });
});

test.for(edgeLanes)(
  "on %s the eviction of a server of SDK v1 goes unnoticed, also by the user who is asked",
  async (name) => {
    const client = await laneNamed(name).connect(user);
    try {
      const ask = { name: "ask", arguments: { question: "Still there?" } };
      await edge.evict(client.sessionId() ?? "");
      expect(await client.send({ method: "tools/call", params: ask })).toEqual({
        content: [{ type: "text", text: "blue" }],
      });
      expect((await edge.inspect(client.sessionId() ?? "")).constructions).toBeGreaterThan(1);
    } finally {
      await client.close();
    }
  },
);

test("a stateless request to a server of SDK v1 gets the unsupported-version error, which lists what it speaks", async () => {
  const version = "2026-07-28";
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const response = await postJson(
    `${edge.url}/mcp`,
    { jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta } },
    { "mcp-protocol-version": version, "mcp-method": "tools/list" },
  );
  expect(response.status).toBe(400);
  const supported = expect.arrayContaining(["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]);
  expect(await response.json()).toMatchObject({
    id: 1,
    error: { code: -32_022, data: { requested: version, supported } },
  });
});

test.for(["/mcp, stateless", "stdio, 2026-07-28"])(
  "on %s, the v2 client that asks a server of SDK v1 which revisions it speaks goes on with a session",
  async (name) => {
    const client = await laneNamed(name).connect();
    try {
      expect(client.revision()).toBe("2025-11-25");
      const sum = await client.send({ method: "tools/call", params: { name: "add", arguments: { a: 25, b: 25 } } });
      expect(sum).toEqual({ content: [{ type: "text", text: "50" }] });
    } finally {
      await client.close();
    }
  },
);
