import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { initialize, postJson } from "../support/raw-client.ts";

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge("test/fixtures/bounded.ts");
});
afterAll(() => edge.close());

describe("a web page that may connect", () => {
  const origin = "http://localhost:6274";

  test("its preflight is answered without credentials, for the headers it names", async () => {
    const headers = {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type, mcp-session-id, mcp-param-x",
    };
    const response = await fetch(`${edge.url}/mcp`, { method: "OPTIONS", headers });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    expect(response.headers.get("access-control-allow-headers")).toContain("mcp-param-x");
    expect(response.headers.get("access-control-allow-methods")).toContain("DELETE");
  });

  test("it may read answers, errors and the session id", async () => {
    const opened = await postJson(`${edge.url}/mcp`, initialize(), { origin });
    expect(opened.headers.get("access-control-allow-origin")).toBe(origin);
    expect(opened.headers.get("access-control-expose-headers")).toContain("Mcp-Session-Id");
    const refused = await postJson(`${edge.url}/mcp`, "{", { origin });
    expect(refused.status).toBe(400);
    expect(refused.headers.get("access-control-allow-origin")).toBe(origin);
  });
});
