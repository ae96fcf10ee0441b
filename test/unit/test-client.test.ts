import { expect, test } from "vitest";
import { createExampleServer } from "../fixtures/example-server.ts";
import { connectTestClient } from "../test-client.ts";

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
