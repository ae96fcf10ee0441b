import { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";

const toolCount = 200;

/** As many tools as large servers have, their schemas made once. */
export const largeTools = Array.from({ length: toolCount }, (_, index) => ({
  name: `tool_${index}`,
  description: `Does the work of tool ${index}: what it takes is described member by member.`,
  members: {
    path: z.string().describe("Where to look"),
    limit: z.number().int().min(1).max(100).optional().describe("How many, at most"),
    order: z.enum(["ascending", "descending"]).default("ascending").describe("In which order"),
    tags: z.array(z.string()).optional().describe("Only what has all of these"),
  },
}));

const schemas = largeTools.map(({ members }) => z.object(members));

/** A server of real size, written for SDK v2. */
export function createLargeServer(): McpServer {
  const server = new McpServer({ name: "large", version: "1.0.0" });
  for (const [index, { name, description }] of largeTools.entries()) {
    server.registerTool(name, { description, inputSchema: schemas[index] ?? z.object({}) }, () => ({ content: [] }));
  }
  return server;
}
