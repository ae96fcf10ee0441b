import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { connectV1, connectV2 } from "../support/official-clients.ts";
import { patient } from "../support/patient.ts";
import { initialize, openBare, postJson, RawStream, reconnect } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { CuttingProxy } from "../../lab/torture/cutting-proxy.ts";

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge("test/fixtures/example.ts", { options: patient });
});
afterAll(() => edge.close());

/** What clients send on their first GET, as seen on the wire. */
const firstGets: Record<string, Record<string, string>> = {
  "the Java SDK": { "user-agent": "Java-http-client/17.0.15", "cache-control": "no-cache" },
  "Spring WebFlux": { "user-agent": "ReactorNetty/1.2.11" },
  "a Java SDK under another name": { "user-agent": "acme/1.0", "cache-control": "no-cache" },
  "the Go SDK": { "user-agent": "Go-http-client/1.1" },
  "the C# SDK": {},
  curl: { "user-agent": "curl/8.5.0", accept: "*/*" },
};

/** Those that read `retry:` lines. */
const readers: Record<string, Record<string, string>> = {
  "the Python SDK": { "user-agent": "python-httpx/0.28.1", "cache-control": "no-store" },
  "the Python SDK 2": { "user-agent": "python-httpx2/2.16.2" },
  "the AI SDK": { "user-agent": "ai-sdk/5.0.0 runtime/node.js/24", "sec-fetch-mode": "cors" },
  "a page's EventSource": { "user-agent": "Mozilla/5.0", "sec-fetch-mode": "cors", "cache-control": "no-cache" },
  "fetch of Node": { "user-agent": "node", "sec-fetch-mode": "cors", "accept-language": "*" },
  "eventsource in a Worker": { pragma: "no-cache", "cache-control": "no-cache" },
  "eventsource on Deno": { "user-agent": "Deno/2.9.6", "accept-language": "*" },
};

const listening = { accept: "text/event-stream" };
const versioned = { "mcp-protocol-version": "2025-11-25" };

const open = (url: string, headers: Record<string, string>): Promise<RawStream> => openBare(url, { headers });

describe("endpoint is the first event, at once, also if the revision comes with the first GET", () => {
  const unknown = { ...firstGets, ...readers };
  // To these two it would be sent by a TypeScript SDK that comes back.
  delete unknown["eventsource in a Worker"];
  delete unknown["eventsource on Deno"];

  test.each(Object.entries(unknown))("for %s", async (_, headers) => {
    const stream = await open(`${edge.url}/sse`, { ...listening, ...versioned, ...headers });
    expect((await stream.next()).event).toBe("endpoint");
    expect(stream.comments).toEqual([]);
    stream.close();
  });
});

describe("a retry: line", () => {
  /** What every kind of stream says to a client that sends `headers`. */
  async function retriesSeenBy(headers: Record<string, string>): Promise<Record<string, number[]>> {
    const sse = await open(`${edge.url}/sse`, { ...listening, ...headers });
    const { data } = await sse.next();
    await postJson(new URL(data, edge.url).href, initialize());
    await sse.answerTo("initialize");
    const resumed = await open(`${edge.url}/sse`, { ...listening, ...headers, "last-event-id": sse.lastEventId });
    await sse.over;
    await resumed.next();

    const opened = await RawMcpClient.open(edge.url);
    const both = { ...headers, ...opened.headers, accept: "application/json, text/event-stream" };
    const listen = await open(`${edge.url}/mcp`, { ...both, ...listening });
    const newer = await open(`${edge.url}/mcp`, { ...both, ...listening });
    await listen.over;
    await expect.poll(() => newer.lastEventId).not.toBe("");
    const call = {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "countdown", arguments: { from: 1, stepMs: 1 } },
    };
    const post = await openBare(`${edge.url}/mcp`, {
      headers: { ...both, "content-type": "application/json" },
      body: JSON.stringify(call),
    });
    await post.answerTo(1);
    expect(post.lastEventId).not.toBe("");
    resumed.close();
    newer.close();
    return {
      sse: sse.retries,
      resumed: resumed.retries,
      listen: listen.retries,
      newer: newer.retries,
      post: post.retries,
    };
  }

  test.each(Object.entries(firstGets))("is never sent to %s", async (_, headers) => {
    const none: number[] = [];
    expect(await retriesSeenBy(headers)).toEqual({ sse: none, resumed: none, listen: none, newer: none, post: none });
  });

  test.each(Object.entries(readers))(
    "tells %s to come back after 200 ms, and after 10 s if it came twice",
    async (_, headers) => {
      expect(await retriesSeenBy(headers)).toEqual({
        sse: [200, 10_000],
        resumed: [200],
        listen: [200, 10_000],
        newer: [200],
        post: [200],
      });
    },
  );
});

describe("a TypeScript SDK whose stream was cut is asked for its session, and has it again", () => {
  test.each([
    ["v1", connectV1],
    ["v2", connectV2],
  ] as const)("%s", async (_, connect) => {
    const proxy = await new CuttingProxy(edge.url).listen();
    const client = await connect(`${proxy.url}/sse`, "sse");
    const call = (name: string, args: Record<string, string>): Promise<unknown> =>
      client.send({ method: "tools/call", params: { name, arguments: args } });
    await call("remember", { key: "k", value: "kept" });
    for (let cut = 0; cut < 2; cut++) {
      proxy.cutStreams("rst", 0);
      expect(await call("recall", { key: "k" })).toMatchObject({ content: [{ text: "kept" }] });
    }
    expect(proxy.cuts).toBe(2);
    await client.close();
    await proxy.close();
  });

  test("also on Deno, whose fetch does nothing for `cache`", async () => {
    const stream = await open(`${edge.url}/sse`, { ...listening, ...versioned, ...readers["eventsource on Deno"] });
    expect(await stream.message()).toMatchObject({ method: "ping", id: expect.stringMatching(/^claim:/) });
    stream.close();
  });

  test("and is not asked in its first GET, which sends no revision", async () => {
    const stream = await RawStream.open(`${edge.url}/sse`, { cache: "no-store" });
    expect((await stream.next()).event).toBe("endpoint");
    stream.close();
    const { stream: second } = await reconnect(edge.url);
    second.close();
  });
});
