import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import {
  bareFetch,
  initialize,
  openBare,
  postJson,
  RawSseClient,
  RawStream,
  reconnect,
  textOf,
} from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge("test/fixtures/mirror.ts");
});
afterAll(() => edge.close());

interface Seen {
  called: { url: string; headers: Record<string, string> };
  built: { url: string; headers: Record<string, string> };
  colo: string | undefined;
}

const seenIn = (answer: unknown): Seen => JSON.parse(textOf(answer as Record<string, unknown>)) as Seen;
const see = { jsonrpc: "2.0", id: "see", method: "tools/call", params: { name: "see", arguments: {} } };

/** Each lane, by what its tool sees of a call to `path?query` with `headers`. */
const lanes: Record<string, (query: string, headers: Record<string, string>) => Promise<[Seen, string]>> = {
  "HTTP+SSE": async (query, headers) => {
    const stream = await RawStream.open(`${edge.url}/sse${query}`);
    const endpoint = new URL((await stream.next()).data, edge.url).href;
    await postJson(endpoint, see, headers);
    const seen = seenIn(await stream.answerTo("see"));
    stream.close();
    return [seen, endpoint];
  },
  "Streamable HTTP": async (query, headers) => {
    const url = `${edge.url}/mcp${query}`;
    const opened = await postJson(url, initialize(), headers);
    const session = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "", ...headers };
    return [seenIn(await (await postJson(url, see, session)).json()), url];
  },
  "the stateless revision": async (query, headers) => {
    const url = `${edge.url}/sse/${query}`;
    const request = statelessRequest("tools/call", { name: "see", arguments: {} });
    return [seenIn(await (await postJson(url, request.message, { ...request.headers, ...headers })).json()), url];
  },
};

describe.each(Object.entries(lanes))("over %s", (lane, call) => {
  test("a tool, and whoever built its server, see the URL that was asked for, and cf", async () => {
    const [seen, url] = await call("?token=a%20b&tenant=t1", {});
    expect([seen.called.url, seen.built.url]).toEqual([url, url]);
    expect(url).toContain("token=a%20b&tenant=t1");
    // What comes over the WebSocket of its stream has none.
    expect(seen.colo).toEqual(lane === "HTTP+SSE" ? undefined : expect.stringMatching(/^[A-Z]{3}$/));
  });

  test("nobody sees a client's header of the names that Worker and object use", async () => {
    const forged = { "mcp-edge-verb": "mcp-end", "mcp-edge-attach": "new", "mcp-edge-anything": "1", "x-own": "kept" };
    const [{ called, built }] = await call("", forged);
    for (const { headers } of [called, built]) {
      const theirs = Object.entries(forged).filter(([name, value]) => name !== "x-own" && headers[name] === value);
      expect(theirs).toEqual([]);
      expect(headers["x-own"]).toBe("kept");
    }
  });
});

describe("the endpoint", () => {
  const endpointOf = async (path: string): Promise<string> => {
    const stream = await RawStream.open(edge.url + path);
    const { data } = await stream.next();
    stream.close();
    return data;
  };

  test("keeps the query of its GET as it was written, with its session last and alone", async () => {
    const query = "?token=abc&sessionId=mine&tenant=t%201&flag&session%49d=x";
    expect(await endpointOf(`/sse${query}`)).toMatch(
      /^\/sse\/message\?token=abc&tenant=t%201&flag&sessionId=[0-9a-f]{96}$/,
    );
  });

  test("is below the path that was opened, whichever it is", async () => {
    expect(await endpointOf("/mcp/?a=1")).toMatch(/^\/mcp\/message\?a=1&sessionId=[0-9a-f]{96}$/);
  });

  test("keeps the query also on a stream that resumes, and on one that claims nothing", async () => {
    const client = await RawSseClient.open(edge.url);
    client.close();
    const headers = { "last-event-id": client.stream.lastEventId };
    const resumed = await RawStream.open(`${edge.url}/sse?a=1`, { headers });
    expect((await resumed.next()).data).toBe(`/sse/message?a=1&sessionId=${client.sessionId}`);
    resumed.close();
    const { stream } = await reconnect(edge.url, "/sse?a=1");
    const { data } = await stream.next(({ event }) => event === "endpoint");
    expect(data).toMatch(/^\/sse\/message\?a=1&sessionId=/);
    stream.close();
  });
});

describe("what a client accepts", () => {
  const both = "Application/JSON;q=0.9, TEXT/*";

  test("may be said in any case and by ranges, in every lane", async () => {
    const stream = await RawStream.open(`${edge.url}/sse`, { headers: { accept: "Text/*" } });
    expect((await stream.next()).event).toBe("endpoint");
    stream.close();
    const opened = await postJson(`${edge.url}/mcp`, initialize(), { accept: both });
    expect(opened.status).toBe(200);
    const session = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "" };
    expect((await postJson(`${edge.url}/mcp`, see, { ...session, accept: both })).status).toBe(200);
    const listening = await RawStream.open(`${edge.url}/mcp`, { headers: { ...session, accept: "TEXT/event-stream" } });
    expect(listening.response.status).toBe(200);
    listening.close();
    const { message, headers } = statelessRequest("tools/list");
    expect((await postJson(`${edge.url}/mcp`, message, { ...headers, accept: both })).status).toBe(200);
  });

  test("is everything if it says nothing", async () => {
    const stream = await openBare(`${edge.url}/sse`, { headers: {} });
    expect((await stream.next()).event).toBe("endpoint");
    stream.close();
    const headers = { "content-type": "application/json" };
    const opened = await bareFetch(`${edge.url}/mcp`, { headers, body: JSON.stringify(initialize()) });
    expect(opened.status).toBe(200);
  });

  test.each([
    ["application/json", "mcp-use, which looks for a login"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", "a page in a browser's tab"],
    ["*/*, text/event-stream;q=0", "whoever excludes it"],
  ])("without an event stream, %s, is answered 406 and a sentence at once", async (accept) => {
    const before = await edge.worker.listDurableObjectIds("Session");
    for (const path of ["/sse", "/mcp"]) {
      const refused = await fetch(edge.url + path, { headers: { accept } });
      expect([refused.status, await refused.text()]).toEqual([406, expect.stringContaining("Connect one to it")]);
    }
    expect(await edge.worker.listDurableObjectIds("Session")).toEqual(before);
  });

  test("excludes what has the weight 0, in a POST", async () => {
    const accept = "*/*, application/json;q=0";
    for (const { message, headers } of [statelessRequest("tools/list"), { message: initialize(), headers: {} }]) {
      expect((await postJson(`${edge.url}/mcp`, message, { ...headers, accept })).status).toBe(406);
    }
  });
});

describe("HEAD", () => {
  const headersOf = ({ headers }: Response): (string | null)[] =>
    ["content-type", "cache-control", "mcp-session-id", "allow"].map((name) => headers.get(name));

  test("is answered as GET, without a body, and nothing is opened", async () => {
    const client = await RawMcpClient.open(edge.url);
    const listening = await client.listen();
    const json = { accept: "application/json" };
    const before = await edge.worker.listDurableObjectIds("Session");
    const cases: [string, Record<string, string>][] = [
      ["/sse", {}],
      ["/mcp", {}],
      ["/sse", json],
      ["/mcp", { ...client.headers, accept: "text/event-stream" }],
      ["/mcp", { "mcp-session-id": "0".repeat(64), accept: "text/event-stream" }],
      ["/sse/message", {}],
      ["/nowhere", {}],
    ];
    const heads: Response[] = [];
    for (const [path, headers] of cases) {
      const head = await bareFetch(edge.url + path, { method: "HEAD", headers });
      expect(await head.text()).toBe("");
      heads.push(head);
    }
    expect(await edge.worker.listDurableObjectIds("Session")).toEqual(before);
    // It took the place of no stream.
    await client.post({ jsonrpc: "2.0", id: "p", method: "ping" });
    expect(await Promise.race([listening.over, Promise.resolve("open")])).toBe("open");
    listening.close();
    for (const [at, [path, headers]] of cases.entries()) {
      const abort = new AbortController();
      const got = await bareFetch(edge.url + path, { headers, signal: abort.signal });
      const head = heads[at];
      expect([path, head?.status, head && headersOf(head)]).toEqual([path, got.status, headersOf(got)]);
      abort.abort();
    }
  });
});

describe("a body that is not read", () => {
  const json = { "content-type": "application/json", accept: "*/*" };

  /** Each POST route, in a session that lives. */
  async function routes(): Promise<[string, Record<string, string>][]> {
    const sse = await RawSseClient.open(edge.url);
    const mcp = await RawMcpClient.open(edge.url);
    sse.close();
    return [
      [sse.endpoint, {}],
      [sse.endpoint.replace("/sse/", "/mcp/"), {}],
      [`${edge.url}/mcp`, mcp.headers],
      [`${edge.url}/sse`, {}],
      [`${edge.url}/mcp`, statelessRequest("tools/list").headers],
    ];
  }

  test("because it is encoded, is refused with 415 and what would be, on every route", async () => {
    for (const [url, headers] of await routes()) {
      const init = { method: "POST", headers: { ...headers, ...json, "content-encoding": "gzip" } };
      const refused = await fetch(url, { ...init, body: gzipSync(JSON.stringify(initialize())) });
      expect([refused.status, await refused.text()]).toEqual([
        415,
        expect.stringContaining("without Content-Encoding"),
      ]);
      expect(refused.headers.get("accept-encoding")).toBe("identity");
    }
  });

  test("because of its charset, is refused with 415, on every route", async () => {
    for (const [url, headers] of await routes()) {
      const type = { "content-type": "application/json; charset=utf-16" };
      const refused = await postJson(url, initialize(), { ...headers, ...type });
      expect([refused.status, await refused.text()]).toEqual([415, expect.stringContaining("UTF-8")]);
    }
  });

  test.each([
    { "content-encoding": "identity" },
    { "content-type": 'application/json; charset="UTF-8"' },
    { "content-type": "Application/JSON;charset=utf8" },
  ])("is not one that says %o", async (headers) => {
    expect((await postJson(`${edge.url}/mcp`, initialize(), headers as Record<string, string>)).status).toBe(200);
  });
});
