import { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";

const add = { description: "Add two integers.", inputSchema: z.object({ a: z.int(), b: z.int() }) };
const echo = { description: "Return the text.", inputSchema: z.object({ text: z.string() }) };

/** The server that all contestants serve, written for SDK v2. */
export function createEchoServer(): McpServer {
  const server = new McpServer({ name: "mcp-edge", version: "1.0.0" });
  server.registerTool("add", add, ({ a, b }) => ({ content: [{ type: "text", text: String(a + b) }] }));
  server.registerTool("echo", echo, ({ text }) => ({ content: [{ type: "text", text }] }));
  return server;
}
