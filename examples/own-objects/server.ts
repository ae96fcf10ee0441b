import { McpServer } from "@modelcontextprotocol/server";
import { type ServerContext, text, tool } from "mcp-edge";
import * as z from "zod";
import type { Counter } from "./worker.ts";

export interface Env {
  COUNTER: DurableObjectNamespace<Counter>;
  SESSION: DurableObjectNamespace;
}

const count = z.object({ counter: z.string(), by: z.int().default(1) });

/** A tool that counts in an object which all sessions share. */
export function createServer({ env }: ServerContext<Env>): McpServer {
  const server = new McpServer({ name: "own-objects", version: "1.0.0" });
  tool(server, "count", { inputSchema: count }, async ({ counter, by }) =>
    text(String(await env.COUNTER.getByName(counter).add(by))),
  );
  return server;
}
