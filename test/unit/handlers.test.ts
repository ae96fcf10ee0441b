import { type JSONRPCMessage, McpServer, requireScopes, type Transport } from "@modelcontextprotocol/server";
import { expect, test } from "vitest";
import { answerAlways } from "../../src/sdk/answerable.ts";
import { wrapHandlers } from "../../src/sdk/handlers.ts";
import { hideOutOfScope } from "../../src/sdk/scopes.ts";

/** What a server says to each request of a client of that token, in the order of the requests. */
async function answersOf(server: McpServer, scopes: string[], methods: string[]): Promise<unknown[]> {
  const said: JSONRPCMessage[] = [];
  const transport: Transport = {
    start: () => Promise.resolve(),
    close: () => Promise.resolve(),
    send: (message) => Promise.resolve(void said.push(message)),
  };
  await server.connect(transport);
  const authInfo = { token: "t", clientId: "c", scopes };
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } };
  const all = [{ method: "initialize", params }, ...methods.map((method) => ({ method, params: { name: "first" } }))];
  for (const [id, request] of all.entries()) transport.onmessage?.({ jsonrpc: "2.0", id, ...request }, { authInfo });
  await expect.poll(() => said.length).toBe(all.length);
  return all.map((_request, id) => said.find((answer) => "id" in answer && answer.id === id)).slice(1);
}

test("the first prompt of all, registered once the server is built, is hidden from who lacks its scope", async () => {
  const server = new McpServer({ name: "late", version: "1" });
  hideOutOfScope(server);
  server.registerPrompt("first", { scopeChallenge: requireScopes("write") }, () => ({ messages: [] }));
  expect(await answersOf(server, [], ["prompts/list", "prompts/get"])).toEqual([
    expect.objectContaining({ result: { prompts: [] } }),
    expect.objectContaining({ error: expect.objectContaining({ message: expect.stringContaining("not found") }) }),
  ]);
});

test("a handler that is registered once the server is built is answered for, whatever it throws", async () => {
  const server = new McpServer({ name: "late", version: "1" });
  answerAlways(server);
  server.registerPrompt("first", {}, () => {
    // oxlint-disable-next-line typescript/only-throw-error -- tools of others do
    throw null;
  });
  const [answer] = await answersOf(server, [], ["prompts/get"]);
  expect(answer).toMatchObject({ error: { message: "null" } });
});

test("what a server answers all else by is answered for, also if it has that later, and what is around it is in its order", async () => {
  const server = new McpServer({ name: "proxy", version: "1" });
  const order: string[] = [];
  for (const name of ["inner", "outer"]) {
    wrapHandlers(server, (handler, method) => (request, context) => {
      order.push(`${name} of ${method}`);
      return handler(request, context);
    });
  }
  answerAlways(server);
  server.server.fallbackRequestHandler = () => {
    // oxlint-disable-next-line typescript/only-throw-error -- tools of others do
    throw null;
  };
  server.registerPrompt("first", {}, () => ({ messages: [] }));
  const [thrown, got] = await answersOf(server, [], ["anything/else", "prompts/get"]);
  expect(thrown).toMatchObject({ error: { message: "null" } });
  expect(got).toMatchObject({ result: {} });
  for (const method of ["anything/else", "prompts/get"]) {
    expect(order.filter((each) => each.endsWith(method))).toEqual([`outer of ${method}`, `inner of ${method}`]);
  }
});
