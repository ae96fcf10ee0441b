import { expect, test } from "vitest";
import { createExampleServer } from "../fixtures/example-server.ts";
import { createGuardedServer } from "../fixtures/guarded-server.ts";
import { createUnrulyServer } from "../fixtures/unruly-server.ts";
import { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import { createV1Server } from "../fixtures/v1-server.ts";
import { connectTestClient } from "../../src/testing.ts";

test("a test client is served in memory, in a session of its own", async () => {
  const told = await connectTestClient(createExampleServer);
  await told.callTool({ name: "remember", arguments: { key: "colour", value: "blue" } });
  const recall = { name: "recall", arguments: { key: "colour" } };
  expect(await told.callTool(recall)).toMatchObject({ content: [{ text: "blue" }] });
  const other = await connectTestClient(createExampleServer);
  expect(await other.callTool(recall)).toMatchObject({ isError: true });
  await Promise.all([told.close(), other.close()]);
});

test("a test client answers what the server asks, as it was prepared to", async () => {
  const client = await connectTestClient(createExampleServer, {
    capabilities: { elicitation: {} },
    prepare: (asked) =>
      asked.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { answer: "blue" } })),
  });
  const { content } = await client.callTool({ name: "ask", arguments: { question: "Which colour?" } });
  expect(content).toMatchObject([{ text: "blue" }]);
  await client.close();
});

test("createServer is given the bindings of the test, and what it throws reaches the test", async () => {
  const createServer = ({ env }: { env: { GREETING: string } }) => {
    throw new Error(env.GREETING);
  };
  await expect(connectTestClient(createServer, { env: { GREETING: "hello" } })).rejects.toThrow("hello");
});

test("createServer and the tools are told of the test's request, as of a deployed server's", async () => {
  const request = new Request("http://localhost/sse/message", { method: "POST", headers: { "x-user": "ada" } });
  const client = await connectTestClient(createUnrulyServer, { request });
  const { content } = await client.callTool({ name: "who_built", arguments: {} });
  expect(content).toMatchObject([{ text: JSON.stringify({ user: "ada", url: request.url }) }]);
  const copied = await client.callTool({ name: "copy_headers", arguments: {} });
  expect(copied.content).toMatchObject([{ text: "a copy of ada" }]);
  await client.close();
});

test("createServer and the tools are told who the test says it is", async () => {
  const authInfo = { token: "t", clientId: "a-client", scopes: ["mcp"], extra: { name: "Ann" } };
  const client = await connectTestClient(createGuardedServer, {
    user: { id: "ann" },
    authInfo,
    headers: { "x-own": "1" },
  });
  const { content } = await client.callTool({ name: "whoami", arguments: {} });
  expect(content).toEqual([{ type: "text", text: JSON.stringify({ user: "ann", client: "a-client", name: "Ann" }) }]);
  const slow = await client.callTool({ name: "slow", arguments: { ms: 0 } });
  expect(JSON.stringify(slow.content)).toContain("x-own");
  await client.close();
});

test("of a user alone, tools are told no scopes; of nobody, nothing", async () => {
  const known = await connectTestClient(createGuardedServer, { user: { id: "ann" } });
  const who = { name: "whoami", arguments: {} };
  expect(await known.callTool(who)).toMatchObject({
    content: [{ text: JSON.stringify({ user: "ann", client: "ann" }) }],
  });
  const unknown = await connectTestClient(createGuardedServer);
  expect(await unknown.callTool(who)).toMatchObject({ content: [{ text: "{}" }] });
  await Promise.all([known.close(), unknown.close()]);
});

/** Whatever a tool may do that the wire does not carry. */
function createOddServer(): McpServer {
  const server = new McpServer({ name: "odd", version: "1.0.0" }, { capabilities: { logging: {} } });
  const results: Record<string, object> = {
    bigint: { content: [], structuredContent: { n: 5n } },
    date: { content: [], structuredContent: { at: new Date(0), nothing: undefined } },
    half: { content: [{ type: "text", text: "\ud800" }] },
    large: { content: [{ type: "text", text: "x".repeat(6 * 1024 * 1024) }] },
  };
  for (const [name, result] of Object.entries(results)) server.registerTool(name, {}, () => result as never);
  const text = (said: string) => ({ content: [{ type: "text" as const, text: said }] });
  server.registerTool("close", {}, async () => {
    await server.close();
    return text("still there");
  });
  server.registerTool("sample", {}, async ({ mcpReq }) =>
    text(JSON.stringify(await mcpReq.requestSampling({ messages: [], maxTokens: 1 }))),
  );
  server.registerTool("session", {}, ({ sessionId }) => text(typeof sessionId));
  server.registerTool("log", {}, async () => {
    for (const level of ["info", "error"] as const) await server.sendLoggingMessage({ level, data: level });
    return text("logged");
  });
  server.registerTool("unlisted", { inputSchema: z.object({ at: z.date() }) }, () => text("called"));
  return server;
}

test("a test client gets what the wire carries, and no more", async () => {
  const client = await connectTestClient(createOddServer);
  const call = (name: string) => client.callTool({ name });
  await expect(call("bigint")).rejects.toThrow("The result of tools/call cannot be written as JSON.");
  await expect(call("large")).rejects.toThrow("The result of tools/call is larger than 5242880 bytes.");
  expect(await call("date")).toEqual({ content: [], structuredContent: { at: "1970-01-01T00:00:00.000Z" } });
  expect(await call("half")).toMatchObject({ content: [{ text: "\ufffd" }] });
  expect(await call("close")).toMatchObject({ content: [{ text: "still there" }] });
  expect(await call("session")).toMatchObject({ content: [{ text: "string" }] });
  const undeclared = 'The client did not declare the capability "sampling", which sampling/createMessage needs.';
  expect(await call("sample")).toMatchObject({ isError: true, content: [{ text: undeclared }] });
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).not.toContain("unlisted");
  await client.close();
});

test("a test client hears what is said at its level", async () => {
  const client = await connectTestClient(createOddServer);
  const heard: unknown[] = [];
  client.setNotificationHandler("notifications/message", ({ params }) => void heard.push(params.data));
  await client.setLoggingLevel("error");
  await client.callTool({ name: "log" });
  expect(heard).toEqual(["error"]);
  await client.close();
});

test("a server of SDK v1 has a test client as well, which it may ask and tell", async () => {
  const client = await connectTestClient(createV1Server, {
    headers: { "x-name": "ada" },
    capabilities: { elicitation: {} },
    prepare: (asked) =>
      asked.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { answer: "blue" } })),
  });
  const told: number[] = [];
  const onprogress = ({ progress }: { progress: number }): void => void told.push(progress);
  expect(await client.callTool({ name: "count", arguments: { to: 3 } }, { onprogress })).toMatchObject({
    content: [{ text: "counted" }],
  });
  expect(told).toEqual([1, 2, 3]);
  const ask = { name: "ask", arguments: { question: "Which colour?" } };
  expect(await client.callTool(ask)).toMatchObject({ content: [{ text: "blue" }] });
  const { content } = await client.callTool({ name: "whoami", arguments: {} });
  expect(JSON.stringify(content)).toContain("ada");
  await client.close();
});
