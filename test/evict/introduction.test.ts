import { setTimeout as passing } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { initialize, postJson, RawSseClient, RawStream } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";

let edge: EdgeServer;
beforeAll(async () => void (edge = await startEdge("test/fixtures/introducing.ts")));
afterAll(() => edge.close());

type Message = Record<string, unknown>;

/** A client of either lane that has a stream for what its server says unasked. */
interface Listening {
  stream: RawStream;
  sessionId: string;
  post(message: unknown): Promise<Response>;
  request(method: string, params?: unknown): Promise<Message>;
}

async function open(lane: "/sse" | "/mcp", sdk: string, capabilities: unknown): Promise<Listening> {
  const headers = { "x-sdk": sdk };
  const opening = initialize(capabilities as Record<string, unknown>);
  if (lane === "/sse") {
    const client = await RawSseClient.connect(edge.url);
    await client.post(opening, headers);
    await client.stream.answerTo("initialize");
    const { stream, sessionId } = client;
    return { stream, sessionId, post: (message) => client.post(message), request: (...ask) => client.request(...ask) };
  }
  const opened = await postJson(`${edge.url}/mcp`, opening, headers);
  const session = {
    "mcp-session-id": opened.headers.get("mcp-session-id") ?? "",
    "mcp-protocol-version": "2025-11-25",
  };
  await opened.text();
  const stream = await RawStream.open(`${edge.url}/mcp`, { headers: session });
  const post = (message: unknown): Promise<Response> => postJson(`${edge.url}/mcp`, message, session);
  let id = 0;
  return {
    stream,
    sessionId: session["mcp-session-id"],
    post,
    async request(method, params) {
      const body = await (await post({ jsonrpc: "2.0", id: ++id, method, params })).text();
      const json = /^data: (?<json>\{.*)$/m.exec(body)?.groups?.["json"] ?? body;
      return JSON.parse(json) as Message;
    },
  };
}

const initialized = { jsonrpc: "2.0", method: "notifications/initialized" };
const is = (method: string) => (message: Message) => message["method"] === method;

/** Answers the server's question for its client's roots, as the SDK's clients do by themselves. */
async function answerRoots({ stream, post }: Listening): Promise<void> {
  const { id } = await stream.message(is("roots/list"));
  await post({ jsonrpc: "2.0", id, result: { roots: [{ uri: "file:///home", name: "home" }] } });
}

async function toolsOf({ request }: Listening): Promise<string[]> {
  const { result } = (await request("tools/list")) as { result: { tools: { name: string }[] } };
  return result.tools.map(({ name }) => name);
}

/** What the client saw, besides what it took. */
const methodsIn = ({ stream }: Listening): unknown[] =>
  stream.events.map(({ data }) => (JSON.parse(data) as Message)["method"]).filter((method) => method !== undefined);

/** How long a call waits for a server that introduces itself again, milliseconds: its client may not answer. */
const maxIntroductionMs = 1_000;

/** Each returns a time before which no server can have been built again. */
const ends = {
  evicted: async (sessionId: string): Promise<number> => {
    await edge.evict(sessionId);
    return performance.now();
  },
  crashed: async (sessionId: string): Promise<number> => {
    const beforeMs = performance.now();
    await edge.abort(sessionId);
    return beforeMs;
  },
};

describe.each([
  ["/sse", "v2"],
  ["/sse", "v1"],
  ["/mcp", "v2"],
  ["/mcp", "v1"],
] as const)("a server that introduces itself, on %s, of SDK %s", (lane, sdk) => {
  test.each(Object.entries(ends))(
    "%s: its user is asked nothing twice, its client told nothing twice, its tools are there",
    async (_name, end) => {
      const client = await open(lane, sdk, { elicitation: {}, roots: {}, sampling: {} });
      await client.post(initialized);
      await answerRoots(client);
      const { id } = await client.stream.message(is("elicitation/create"));
      await client.post({ jsonrpc: "2.0", id, result: { action: "accept", content: { tool: "hammer" } } });
      const tools = ["plain", "for_samplers", "root_home", "hammer"];
      await expect.poll(() => toolsOf(client)).toEqual(tools);
      await client.stream.message(is("notifications/message"));
      // What it says comes by a stream of its own, perhaps after the answers.
      const listChanged = "notifications/tools/list_changed";
      await expect.poll(() => methodsIn(client)).toEqual(tools.slice(1).map(() => listChanged));

      for (let time = 0; time < 2;) {
        client.stream.events.splice(0);
        const endedAtMs = await end(client.sessionId);
        // The first call after it, and each tool that an answer decides on is there.
        const [called] = await Promise.all([client.request("tools/call", { name: "hammer" }), answerRoots(client)]);
        // On a busy machine the answer may come too late for that.
        if (performance.now() - endedAtMs >= maxIntroductionMs) continue;
        time += 1;
        expect(called).toMatchObject({ result: { content: [] } });
        expect(await toolsOf(client)).toEqual(tools);
        expect(methodsIn(client)).toEqual([]);
      }
      client.stream.close();
    },
  );

  test("that its client is initialized counts once, however often it is said", async () => {
    const client = await open(lane, sdk, { elicitation: {} });
    await client.post(initialized);
    await client.post(initialized);
    const { id } = await client.stream.message(is("elicitation/create"));
    await client.post({ jsonrpc: "2.0", id, result: { action: "accept", content: { tool: "saw" } } });
    await expect.poll(() => toolsOf(client)).toEqual(["plain", "saw"]);
    expect(methodsIn(client).filter((method) => method === "elicitation/create")).toEqual([]);
    client.stream.close();
  });

  // While it waits for an answer the platform does not evict it.
  test("crashed while its user thinks: the answer reaches the server, and the question is asked once", async () => {
    const client = await open(lane, sdk, { elicitation: {} });
    await client.post(initialized);
    const { id } = await client.stream.message(is("elicitation/create"));
    client.stream.events.splice(0);
    await edge.abort(client.sessionId);
    expect(await toolsOf(client)).toEqual(["plain"]);
    await edge.abort(client.sessionId);
    await client.post({ jsonrpc: "2.0", id, result: { action: "accept", content: { tool: "saw" } } });
    await expect.poll(() => toolsOf(client)).toEqual(["plain", "saw"]);
    await edge.abort(client.sessionId);
    expect(await toolsOf(client)).toEqual(["plain", "saw"]);
    expect(methodsIn(client).filter((method) => method === "elicitation/create")).toEqual([]);
    client.stream.close();
  });

  test("a user who declined is not asked again", async () => {
    const client = await open(lane, sdk, { elicitation: {} });
    await client.post(initialized);
    const { id } = await client.stream.message(is("elicitation/create"));
    await client.post({ jsonrpc: "2.0", id, result: { action: "decline" } });
    await expect.poll(() => toolsOf(client)).toEqual(["plain", "declineed"]);
    await edge.evict(client.sessionId);
    expect(await toolsOf(client)).toEqual(["plain", "declineed"]);
    client.stream.close();
  });

  test("a client that never answers about its roots does not hold up its calls for long", async () => {
    const client = await open(lane, sdk, { roots: {} });
    await client.post(initialized);
    await client.stream.message(is("roots/list"));
    await edge.abort(client.sessionId);
    const before = performance.now();
    expect(await toolsOf(client)).toEqual(["plain"]);
    // The SDK gives it a minute.
    expect(performance.now() - before).toBeLessThan(50_000);
    client.stream.close();
  });

  test("evicted before its client said that it is initialized, it introduces itself once, as the first time", async () => {
    const client = await open(lane, sdk, { elicitation: {}, sampling: {} });
    await edge.inspect(client.sessionId);
    await edge.evict(client.sessionId);
    await client.post(initialized);
    const { id } = await client.stream.message(is("elicitation/create"));
    await client.stream.message(is("notifications/message"));
    await client.post({ jsonrpc: "2.0", id, result: { action: "accept", content: { tool: "saw" } } });
    await expect.poll(() => toolsOf(client)).toEqual(["plain", "for_samplers", "saw"]);
    client.stream.close();
  });

  test("an answer that is too long to remember: a rebuilt server is refused, in words that say why", async () => {
    const client = await open(lane, sdk, { elicitation: {} });
    await client.post(initialized);
    const { id } = await client.stream.message(is("elicitation/create"));
    const content = { tool: "saw", reason: "x".repeat(64 * 1024) };
    await client.post({ jsonrpc: "2.0", id, result: { action: "accept", content } });
    await expect.poll(() => toolsOf(client)).toEqual(["plain", "saw"]);
    await passing(50);
    await edge.evict(client.sessionId);
    expect(await toolsOf(client)).toEqual(["plain", "without_answer"]);
    await expect.poll(() => edge.logs().join("\n")).toContain("a person is asked only once");
    client.stream.close();
  });
});

test("crashed before its user saw the question: it is asked once, and not again when it is answered", async () => {
  const rows = async (): Promise<string> => (await edge.inspect(client.sessionId)).rows.join();
  const client = await RawMcpClient.open(edge.url, { elicitation: {} });
  await expect.poll(rows).toContain("outbox/");
  await edge.abort(client.sessionId);
  const stream = await client.listen();
  const { id } = await stream.message(is("elicitation/create"));
  await client.post({ jsonrpc: "2.0", id, result: { action: "accept", content: { tool: "saw" } } });
  stream.close();
  // Nothing is left that the next stream would begin with.
  await expect.poll(rows).not.toContain("outbox/");
});
