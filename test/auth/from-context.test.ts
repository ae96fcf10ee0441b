import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { GuardedSseClient, openMcpAs } from "../support/guarded-client.ts";
import { initialize, postJson, textOf } from "../support/raw-client.ts";

let edge: EdgeServer;
beforeAll(async () => void (edge = await startEdge("test/fixtures/behind-provider.ts")));
afterAll(() => edge.close());

const context = (auth: object, props: object = {}): Record<string, string> => ({
  "x-context": JSON.stringify({ auth, props }),
});

const ann = {
  userId: "ann",
  clientId: "a-client",
  token: "t",
  scope: ["mcp"],
  audience: "https://mcp.example.com/mcp",
};

test("who logged in, their scopes and props are the caller's", async () => {
  const client = await GuardedSseClient.openAs(edge.url, context(ann, { login: "ann@example.com" }));
  expect(textOf(await client.call("whoami"))).toBe('{"user":"ann","client":"a-client"}');
  const slow = JSON.parse(textOf(await client.call("slow", { ms: 0 }))) as { extra: unknown; token: string };
  expect(slow).toMatchObject({ token: "t", extra: { props: { login: "ann@example.com" } } });
  client.close();
});

test("who lacks a scope is told where to get it: at whoever issued the token", async () => {
  const client = await openMcpAs(edge.url, context({ ...ann, scope: "mcp other" }));
  const response = await client.call("write");
  expect(response.status).toBe(403);
  expect(response.headers.get("www-authenticate")).toContain(
    'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"',
  );
});

test("another user of the same client is a stranger", async () => {
  const client = await openMcpAs(edge.url, context(ann));
  const headers = { ...client.headers, ...context({ ...ann, userId: "eve" }) };
  expect((await postJson(client.url, { jsonrpc: "2.0", id: 1, method: "ping" }, headers)).status).toBe(404);
});

test.each([{}, { auth: {} }, { auth: { ...ann, userId: "" } }, { auth: { ...ann, userId: undefined } }])(
  "a request that came past the provider is let in to nobody's session: %j",
  async (said) => {
    const response = await postJson(`${edge.url}/mcp`, initialize(), { "x-context": JSON.stringify(said) });
    expect(response.status).toBe(500);
    await expect
      .poll(() => edge.logs().join("\n"))
      .toContain("ctx.auth names no user: let workers-oauth-provider 1.0 or newer");
  },
);
