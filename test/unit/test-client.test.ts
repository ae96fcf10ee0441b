import { expect, test } from "vitest";
import { createExampleServer } from "../fixtures/example-server.ts";
import { createGuardedServer } from "../fixtures/guarded-server.ts";
import { createUnrulyServer } from "../fixtures/unruly-server.ts";
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
