import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";

let own: EdgeServer;
let secretive: EdgeServer;
beforeAll(async () => {
  own = await startEdge("test/fixtures/own-login.ts");
  secretive = await startEdge("test/fixtures/guarded.ts");
});
afterAll(() => Promise.all([own.close(), secretive.close()]));

const prefix = "/.well-known/oauth-protected-resource";

describe("the document about who issues tokens for this server", () => {
  test.each(["/tools/sse", "/mcp", "/MCP", "/mcp/"])(
    "names the URL that it is about, as it was asked for: %s",
    async (path) => {
      const response = await fetch(own.url + prefix + path);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        resource: own.url + path,
        authorization_servers: ["https://issuer.example"],
        scopes_supported: ["mcp"],
        bearer_methods_supported: ["header"],
      });
    },
  );

  test("may be read by a page of any origin, without a token", async () => {
    const headers = { origin: "https://elsewhere.example" };
    const response = await fetch(`${own.url}${prefix}/mcp`, { headers });
    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
    const asked = { ...headers, "access-control-request-headers": "mcp-protocol-version" };
    const preflight = await fetch(`${own.url}${prefix}/mcp`, { method: "OPTIONS", headers: asked });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-headers")).toBe("mcp-protocol-version");
  });

  test("answers HEAD without a body, and nothing but reading", async () => {
    const head = await fetch(`${own.url}${prefix}/mcp`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const post = await fetch(`${own.url}${prefix}/mcp`, { method: "POST" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });

  test.each(["", "/", "/sse", "/mcp/message", "/mcp/x", "/elsewhere", "/tools", "x/mcp"])(
    "is not at %j",
    async (path) => {
      expect((await fetch(own.url + prefix + path)).status).toBe(404);
    },
  );

  test("is nowhere if clients have keys", async () => {
    expect((await fetch(`${secretive.url}${prefix}/mcp`)).status).toBe(404);
    expect((await fetch(`${secretive.url}/.well-known/oauth-authorization-server`)).status).toBe(404);
  });
});
