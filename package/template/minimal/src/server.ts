import { McpServer } from "@modelcontextprotocol/server";
import { text, tool } from "mcp-edge";
import * as z from "zod";

const addends = z.object({ a: z.int(), b: z.int() });

/** Runs once for each session, and again after its object was evicted: it only registers. */
export function createServer(): McpServer {
  const server = new McpServer({ name: "{{name}}", version: "1.0.0" });

  const add = { description: "Add two integers.", inputSchema: addends, annotations: { readOnlyHint: true } };
  tool(server, "add", add, ({ a, b }) => text(String(a + b)));

  return server;
}
