import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import * as z from "zod";

/** A server as it was written for SDK v1: it is returned as it is, and served in sessions. */
export function createServer(): McpServer {
  const server = new McpServer({ name: "sdk-v1", version: "1.0.0" });

  server.registerTool("add", { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => ({
    content: [{ type: "text", text: String(a + b) }],
  }));

  server.registerTool("name_it", {}, async () => {
    const { action, content } = await server.server.elicitInput({
      message: "What is its name?",
      requestedSchema: { type: "object", properties: { name: { type: "string", minLength: 1 } }, required: ["name"] },
    });
    return { content: [{ type: "text", text: action === "accept" ? String(content?.["name"]) : "nameless" }] };
  });

  return server;
}
