import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { expect, test } from "vitest";

test("my server adds two integers", async () => {
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: ["src/stdio.ts"] }));
  try {
    const { content } = await client.callTool({ name: "add", arguments: { a: 25, b: 25 } });
    expect(content).toEqual([{ type: "text", text: "50" }]);
  } finally {
    await client.close();
  }
});
