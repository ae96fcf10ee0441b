import { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";

const add = { description: "Add two integers.", inputSchema: z.object({ a: z.int(), b: z.int() }) };
const echo = { description: "Return the text.", inputSchema: z.object({ text: z.string() }) };

const tell = { description: "Tell so many parts.", inputSchema: z.object({ parts: z.int(), bytes: z.int() }) };

/** The server that all contestants serve, written for SDK v2. */
export function createEchoServer(): McpServer {
  const server = new McpServer({ name: "mcp-edge", version: "1.0.0" });
  server.registerTool("add", add, ({ a, b }) => ({ content: [{ type: "text", text: String(a + b) }] }));
  server.registerTool("echo", echo, ({ text }) => ({ content: [{ type: "text", text }] }));
  server.registerTool("tell", tell, async ({ parts, bytes }, { mcpReq }) => {
    for (let progress = 1; progress <= parts; progress++) {
      const params = {
        progressToken: mcpReq._meta?.progressToken ?? 0,
        progress,
        total: parts,
        message: "x".repeat(bytes),
      };
      await mcpReq.notify({ method: "notifications/progress", params });
    }
    return { content: [{ type: "text", text: "told" }] };
  });
  return server;
}
