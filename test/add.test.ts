import { expect, test } from "vitest";
import { createServer } from "../src/server.ts";
import { connectTestClient } from "mcp-edge/testing";

test("my server adds two integers", async () => {
  const client = await connectTestClient(createServer);
  const { content } = await client.callTool({ name: "add", arguments: { a: 25, b: 25 } });
  expect(content).toEqual([{ type: "text", text: "50" }]);
  await client.close();
});
