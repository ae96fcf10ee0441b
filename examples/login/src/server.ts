import { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import { text, tool } from "mcp-edge";

/** Two tools: one that does not care who calls, and one that tells. */
export function createServer(): McpServer {
  const server = new McpServer({ name: "login", version: "1.0.0" });
  const add = { description: "Add two integers.", inputSchema: z.object({ a: z.int(), b: z.int() }) };
  tool(server, "add", add, ({ a, b }) => text(String(a + b)));
  tool(server, "whoami", { description: "Tell who is logged in.", inputSchema: z.object({}) }, (_, { http }) =>
    text(JSON.stringify(http?.authInfo?.extra?.["props"] ?? {})),
  );
  return server;
}
