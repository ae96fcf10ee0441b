import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { initialize, postJson } from "../support/raw-client.ts";

const version = "2026-07-28";

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge("test/fixtures/bounded.ts");
});
afterAll(() => edge.close());

/** A request of the stateless revision, and the headers that go with it. */
function stateless(method: string, params: Record<string, unknown> = {}) {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const headers: Record<string, string> = { "mcp-protocol-version": version, "mcp-method": method };
  if (typeof params["name"] === "string") headers["mcp-name"] = params["name"];
  return { headers, message: { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: meta } } };
}

describe("a createServer that throws", () => {
  const request = stateless("tools/list");

  test.each([
    ["a stateless request", request.message, request.headers],
    ["a session", initialize(), {}],
  ])("for %s: the client gets a number, and the log the number and the cause", async (_, message, headers) => {
    const response = await postJson(`${edge.url}/mcp`, message, { ...headers, "x-broken": "1" });
    expect(response.status).toBe(500);
    const { error } = (await response.json()) as { error: { code: number; message: string } };
    expect(error.code).toBe(-32_603);
    const number = / incident (?<number>[\da-f-]{36})\.$/.exec(error.message)?.groups?.["number"];
    expect(error.message).toContain(number ?? "a number");
    await expect.poll(() => edge.logs().find((line) => line.includes(String(number)))).toContain("is on fire");
  });
});
