import { createServer, request as forward, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { RawStream } from "../support/raw-client.ts";

let edge: EdgeServer;
let proxy: Server;
/** Where clients connect: behind the proxy. */
let front: string;

beforeAll(async () => {
  edge = await startEdge("test/fixtures/mounted.ts");
  proxy = createServer((request, response) => {
    if (request.url?.startsWith("/tools/") !== true) {
      response.writeHead(404).end();
      return;
    }
    const path = request.url.slice("/tools".length);
    const onward = forward(edge.url + path, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
    response.on("close", () => onward.destroy());
    onward.on("error", () => response.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  front = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/tools/s3cret`;
});

afterAll(async () => {
  proxy.closeAllConnections();
  await Promise.all([edge.close(), new Promise((resolve) => proxy.close(resolve))]);
});

test("behind a proxy that strips a prefix, the endpoint that a client receives works", async () => {
  const client = new Client({ name: "test", version: "1" });
  await client.connect(new SSEClientTransport(new URL(`${front}/sse`)));
  const { content } = await client.callTool({ name: "add", arguments: { a: 25, b: 25 } });
  expect(content).toEqual([{ type: "text", text: "50" }]);
  await client.close();
});

test("there it keeps the query of its GET", async () => {
  const stream = await RawStream.open(`${front}/sse?tenant=t1`);
  expect((await stream.next()).data).toMatch(/^\/tools\/s3cret\/sse\/message\?tenant=t1&sessionId=[0-9a-f]{96}$/);
  stream.close();
});

test("Streamable HTTP works there as well", async () => {
  const client = new Client({ name: "test", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${front}/mcp`)));
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain("add");
  await client.close();
});

test("outside of the secret path there is nothing but a 404", async () => {
  for (const path of ["/sse", "/mcp", "/", "/s3cret"]) expect((await fetch(edge.url + path)).status).toBe(404);
  // It names the paths as they are behind the proxy.
  expect(await (await fetch(`${edge.url}/sse`)).text()).toContain(
    "to /tools/s3cret/sse (HTTP+SSE) or /tools/s3cret/mcp ",
  );
});

test("pages of the host that is named may connect, and of no other", async () => {
  const open = (origin: string): Promise<RawStream> =>
    RawStream.open(`${edge.url}/s3cret/sse`, { headers: { origin } });
  const allowed = await open("https://app.example.com");
  expect(allowed.response.status).toBe(200);
  expect(allowed.response.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
  allowed.close();
  expect((await open("https://www.example.com")).response.status).toBe(403);
});

test("options that cannot be are refused at the start, in a sentence that names them", async () => {
  const told = (await (await fetch(`${edge.url}/test/refusals`)).json()) as Record<string, string>;
  expect(told).toEqual({
    "edge null": "RangeError: The options of edge are an object, not null.",
    "edge []": "RangeError: The options of edge are an object, not [].",
    "edge function": "RangeError: The options of edge are an object, not function.",
    "auth.resource":
      "TypeError: auth has a resource of its own: withResource(resource, authenticate) makes an auth with one.",
    "rateLimit null": "RangeError: The options of rateLimit are an object, not null.",
    "rateLimit by": 'RangeError: by of rateLimit is "user" or "session" or "address", not "ip".',
    "rateLimit periodSeconds": 'RangeError: periodSeconds of rateLimit is 10 or 60, not "60".',
    "rateLimit bindings": "RangeError: rateLimit has no option bindings. It has binding, by, periodSeconds.",
    "rateLimit binding": 'RangeError: binding of rateLimit is the name of a binding in wrangler.toml, not "".',
    "usage binding": "RangeError: binding of usage is the name of a binding in wrangler.toml, not 5.",
    "usage dataset": "RangeError: usage has no option dataset. It has binding.",
  });
});
