import { DurableObject } from "cloudflare:workers";
import { McpServer } from "@modelcontextprotocol/server";
import { createMcpHandler } from "agents/mcp/server";
import * as z from "zod";

const text = (said: string) => ({ content: [{ type: "text" as const, text: said }] });

/** The calls of this lab in `createMcpHandler` of `agents`, as its documentation shows it. */
function createServer(): McpServer {
  const server = new McpServer({ name: "agents", version: "1.0.0" });
  const notes = new Map<string, string>();
  const counted = { inputSchema: z.object({ from: z.int(), stepMs: z.int() }), annotations: { readOnlyHint: true } };
  server.registerTool("countdown", counted, async ({ from, stepMs }) => {
    await new Promise((resolve) => setTimeout(resolve, from * stepMs));
    return text(`Counted down from ${from}.`);
  });
  server.registerTool("remember", { inputSchema: z.object({ key: z.string(), value: z.string() }) }, (given) => {
    notes.set(given.key, given.value);
    return text(`Remembered ${given.key}.`);
  });
  server.registerTool("recall", { inputSchema: z.object({ key: z.string() }) }, ({ key }) =>
    text(notes.get(key) ?? `Nothing is remembered for ${key}.`),
  );
  return server;
}

const handler = createMcpHandler(createServer);

/** `workerdConfig` binds it. */
export class Session extends DurableObject {}

export default {
  async fetch(request: Request, env: Cloudflare.Env, ctx: ExecutionContext): Promise<Response> {
    return await handler(request, env, ctx);
  },
};
