import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

/** As Chromium, Firefox and Safari ask for a page. */
const navigations = [
  "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
  "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "text/html",
  "Text/HTML, text/event-stream;q=0.9",
];

/** SSE clients, curl and `fetch`, axios, who says nothing, and who takes a page no rather than what is for clients. */
const clients = [
  "text/event-stream",
  "*/*",
  "application/json, text/event-stream",
  "application/json, text/plain, */*",
  "",
  "text/html, text/event-stream",
  "text/html;q=0.5, */*;q=0.8",
];

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src data:; connect-src 'self'; " +
  "base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

interface Seen {
  status: number;
  type: string | null;
  policy: string | null;
  /** The body, of a stream its first event. */
  start: string;
}

async function see(url: string, accept: string, method = "GET"): Promise<Seen> {
  const controller = new AbortController();
  const response = await fetch(url, { method, headers: { accept }, redirect: "manual", signal: controller.signal });
  const { headers, status } = response;
  const decoder = new TextDecoder();
  let start = "";
  for await (const chunk of response.body ?? []) {
    start += decoder.decode(chunk, { stream: true });
    if (headers.get("content-type") === "text/event-stream" && start.endsWith("\n\n")) break;
  }
  controller.abort();
  return {
    status,
    type: headers.get("content-type"),
    policy: headers.get("content-security-policy"),
    start,
  };
}

const page = (base: string): Seen => ({
  status: 200,
  type: "text/html; charset=utf-8",
  policy,
  start: expect.stringContaining(`<base href="${base}" />`) as string,
});

describe("with the page", () => {
  let edge: EdgeServer;
  let mounted: EdgeServer;
  beforeAll(async () => {
    [edge, mounted] = await Promise.all([
      startEdge("test/fixtures/example.ts", { page: true }),
      startEdge("test/fixtures/mounted.ts", { page: true }),
    ]);
  });
  afterAll(() => Promise.all([edge.close(), mounted.close()]));

  test.each(navigations)("a browser is shown it on /sse and /mcp: %s", async (accept) => {
    for (const path of ["/sse", "/mcp", "/SSE/?tenant=t1"]) {
      expect([path, await see(edge.url + path, accept)]).toEqual([path, page("/")]);
      expect([path, await see(edge.url + path, accept, "HEAD")]).toEqual([path, { ...page("/"), start: "" }]);
    }
  });

  test.each(clients)("a client is served the stream that it was: %s", async (accept) => {
    for (const path of ["/sse", "/mcp"]) {
      const seen = await see(edge.url + path, accept);
      // Node reads `retry:`.
      const endpoint =
        /^retry: 200\nevent: endpoint\nid: ([0-9a-f]{96})\/sse\/0\ndata: \/(sse|mcp)\/message\?sessionId=\1\n\n$/;
      expect([accept, seen]).toEqual([
        accept,
        { status: 200, type: "text/event-stream", policy: null, start: expect.stringMatching(endpoint) as string },
      ]);
    }
  });

  test("the headers of a stream are those that they were", async () => {
    const controller = new AbortController();
    const headers = { accept: "text/event-stream" };
    const response = await fetch(`${edge.url}/sse`, { headers, signal: controller.signal });
    controller.abort();
    const named = ["content-type", "cache-control", "x-accel-buffering", "vary", "etag", "referrer-policy"];
    expect(named.map((name) => response.headers.get(name))).toEqual([
      "text/event-stream",
      "no-cache, no-transform",
      "no",
      null,
      null,
      null,
    ]);
  });

  test("who looks for a login with Accept: application/json is refused at once, as is who takes either", async () => {
    for (const accept of ["application/json", "text/html, application/json"]) {
      const seen = await see(`${edge.url}/sse`, accept);
      expect([accept, seen.status, seen.start]).toEqual([accept, 406, expect.stringContaining("for MCP clients")]);
    }
  });

  test("/ and its parts are files, for everybody", async () => {
    for (const accept of [...navigations, "*/*"]) expect(await see(`${edge.url}/`, accept)).toEqual(page("./"));
    for (const [path, type] of [
      ["/page.js", "text/javascript; charset=utf-8"],
      ["/page.css", "text/css; charset=utf-8"],
      ["/page.svg", "image/svg+xml"],
    ]) {
      expect([path, await see(edge.url + path, "*/*")]).toEqual([
        path,
        expect.objectContaining({ status: 200, type, policy }),
      ]);
    }
  });

  test("it is not kept where another client could be given it, and says that there are two answers", async () => {
    const response = await fetch(`${edge.url}/sse`, { headers: { accept: "text/html" } });
    await response.text();
    const named = ["cache-control", "vary", "etag", "x-content-type-options", "referrer-policy"];
    expect(named.map((name) => response.headers.get(name))).toEqual([
      "no-store",
      "Accept",
      null,
      "nosniff",
      "no-referrer",
    ]);
  });

  test("a listening client with a session gets its stream or its refusal, whatever else it takes", async () => {
    const headers = { accept: "text/html, text/event-stream;q=0.5", "mcp-session-id": "0".repeat(64) };
    const refused = await fetch(`${edge.url}/mcp`, { headers });
    expect([refused.status, await refused.text()]).toEqual([404, expect.stringContaining("Session not found")]);
  });

  test("below a path, behind a proxy that strips it, its parts are where clients see them", async () => {
    const [accept = ""] = navigations;
    expect(await see(`${mounted.url}/s3cret/sse`, accept)).toEqual(page("/tools/"));
    const health = await fetch(`${mounted.url}/health`);
    expect(await health.json()).toEqual({ status: "ok", sse: "/tools/s3cret/sse", mcp: "/tools/s3cret/mcp" });
  });

  test("its parts are at most 150 KiB, gzipped", async () => {
    const { gzipSync } = await import("node:zlib");
    const paths = ["/", "/page.js", "/page.css", "/page.svg"];
    const files = await Promise.all(paths.map(async (path) => (await fetch(edge.url + path)).arrayBuffer()));
    const bytes = files.map((file) => gzipSync(new Uint8Array(file)).byteLength).reduce((sum, size) => sum + size);
    expect(bytes / 1024).toBeLessThanOrEqual(150);
  });
});

describe("without the page, as in a Worker whose wrangler.toml has no such block", () => {
  let deployed: WorkerdProcess;
  beforeAll(async () => {
    deployed = await startWorkerd({ main: "test/fixtures/example.ts" });
  });
  afterAll(() => deployed.close());

  test.each(navigations)("a browser is told what to do: %s", async (accept) => {
    for (const path of ["/sse", "/mcp"]) {
      const seen = await see(deployed.url + path, accept);
      expect([seen.status, seen.start]).toEqual([406, expect.stringContaining("Connect one to it")]);
    }
    const seen = await see(`${deployed.url}/`, accept);
    expect([seen.status, seen.start]).toEqual([404, expect.stringContaining("/sse (HTTP+SSE)")]);
  });

  test("clients are served as with it", async () => {
    expect(await see(`${deployed.url}/sse`, "text/event-stream")).toMatchObject({
      status: 200,
      type: "text/event-stream",
    });
  });
});

describe("GET /health", () => {
  let deployed: WorkerdProcess;
  beforeAll(async () => {
    deployed = await startWorkerd({ main: "test/fixtures/example.ts" });
  });
  afterAll(() => deployed.close());

  test("says that the Worker answers, and where the transports are", async () => {
    for (const path of ["/health", "/health/"]) {
      const response = await fetch(deployed.url + path);
      expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
      expect(await response.json()).toEqual({ status: "ok", sse: "/sse", mcp: "/mcp" });
    }
  });

  test("answers HEAD, and refuses what it does not take", async () => {
    const head = await fetch(`${deployed.url}/health`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const posted = await fetch(`${deployed.url}/health`, { method: "POST", body: "{}" });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET"]);
  });
});
