import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { bearer, GuardedSseClient, openMcpAs } from "../support/guarded-client.ts";
import { postJson, textOf } from "../support/raw-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";

let edge: EdgeServer;
let v1: EdgeServer;
beforeAll(async () => {
  edge = await startEdge("test/fixtures/guarded.ts");
  v1 = await startEdge("test/fixtures/guarded-v1.ts");
});
afterAll(() => Promise.all([edge.close(), v1.close()]));

const bob = bearer("bob-key-1");
const itIsBob = JSON.stringify({ user: "bob", client: "bob" });

async function answerOf(response: Response): Promise<string> {
  const body = await response.text();
  return textOf(JSON.parse(/^data: (.*)$/m.exec(body)?.[1] ?? body) as Record<string, unknown>);
}

describe.each([
  ["v2", () => edge],
  ["v1", () => v1],
])("createServer and the tools of a server of SDK %s know who calls", (_, serverOf) => {
  test("over /sse, also after an eviction and a crash", async () => {
    const server = serverOf();
    const client = await GuardedSseClient.openAs(server.url, bob);
    expect(textOf(await client.call("whoami"))).toBe(itIsBob);
    await server.evict(client.sessionId);
    expect(textOf(await client.call("whoami"))).toBe(itIsBob);
    await server.abort(client.sessionId);
    await expect.poll(async () => (await server.inspect(client.sessionId)).sockets).toBe(1);
    expect(textOf(await client.call("whoami"))).toBe(itIsBob);
    client.close();
  });

  test("over /mcp, also after an eviction and a crash", async () => {
    const server = serverOf();
    const client = await openMcpAs(server.url, bob);
    expect(await answerOf(await client.call("whoami"))).toBe(itIsBob);
    await server.evict(client.sessionId);
    expect(await answerOf(await client.call("whoami"))).toBe(itIsBob);
    await server.abort(client.sessionId);
    expect(await answerOf(await client.call("whoami"))).toBe(itIsBob);
  });
});

test("over the stateless revision likewise", async () => {
  const { message, headers } = statelessRequest("tools/call", { name: "whoami", arguments: {} });
  expect(await answerOf(await postJson(`${edge.url}/mcp`, message, { ...headers, ...bob }))).toBe(itIsBob);
});

describe("a tool sees the client's own headers, and none of ours", () => {
  const args = { ms: 0 };
  const ours = (text: string): string[] => {
    const { headers } = JSON.parse(text) as { headers: Record<string, string> };
    expect(headers).toMatchObject({ authorization: bob["authorization"], "x-own": "1" });
    return Object.keys(headers).filter((name) => name.startsWith("mcp-edge-") && name !== "mcp-edge-verb");
  };
  const own = { "x-own": "1" };

  test("over /sse", async () => {
    const client = await GuardedSseClient.openAs(edge.url, { ...bob, ...own });
    expect(ours(textOf(await client.call("slow", args)))).toEqual([]);
    client.close();
  });

  test("over /mcp", async () => {
    const client = await openMcpAs(edge.url, { ...bob, ...own });
    expect(ours(await answerOf(await client.call("slow", args)))).toEqual([]);
  });

  test("over the stateless revision", async () => {
    const { message, headers } = statelessRequest("tools/call", { name: "slow", arguments: args });
    const response = await postJson(`${edge.url}/mcp`, message, { ...headers, ...bob, ...own });
    expect(ours(await answerOf(response))).toEqual([]);
  });
});

describe("after a change of the configuration a session is none", () => {
  const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "whoami", arguments: {} } };

  test("that was opened with a login, to a server without one", async () => {
    const client = await openMcpAs(edge.url, bob);
    const anonymous = await postJson(`${edge.url}/mcp?open`, call, client.headers);
    expect(anonymous.status).toBe(404);
    expect((await client.call("whoami")).status).toBe(200);
  });

  test("that was opened without a login, to a server with one", async () => {
    const opened = await postJson(`${edge.url}/mcp?open`, {
      ...call,
      method: "initialize",
      params: {
        protocolVersion: "2025-11-25",
        capabilities: {},
        clientInfo: { name: "raw", version: "1" },
      },
    });
    const headers = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "" };
    expect((await postJson(`${edge.url}/mcp`, call, { ...headers, ...bob })).status).toBe(404);
    expect((await postJson(`${edge.url}/mcp?open`, call, headers)).status).toBe(200);
  });
});
