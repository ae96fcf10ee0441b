import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { McpAgent } from "agents/mcp";
import * as z from "zod";

const add = { description: "Add two integers.", inputSchema: { a: z.int(), b: z.int() } };
const echo = { description: "Return the text.", inputSchema: { text: z.string() } };
const tell = { description: "Tell so many parts.", inputSchema: { parts: z.int(), bytes: z.int() } };

/** `McpAgent` of `agents`, as its documentation shows it, over both of its transports. */
export class Session extends McpAgent {
  server = new McpServer({ name: "mcp-agent", version: "1.0.0" });

  override async init(): Promise<void> {
    this.server.registerTool("add", add, ({ a, b }) => ({ content: [{ type: "text", text: String(a + b) }] }));
    this.server.registerTool("echo", echo, ({ text }) => ({ content: [{ type: "text", text }] }));
    this.server.registerTool("tell", tell, async ({ parts, bytes }, { _meta, sendNotification }) => {
      for (let progress = 1; progress <= parts; progress++) {
        const params = { progressToken: _meta?.progressToken ?? 0, progress, total: parts, message: "x".repeat(bytes) };
        await sendNotification({ method: "notifications/progress", params });
      }
      return { content: [{ type: "text", text: "told" }] };
    });
  }
}

const sse = Session.serveSSE("/sse", { binding: "SESSION" });
const streamable = Session.serve("/mcp", { binding: "SESSION" });

export default {
  async fetch(request: Request, env: Cloudflare.Env, ctx: ExecutionContext): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/sse")) return await sse.fetch(request, env, ctx);
    if (pathname === "/mcp") return await streamable.fetch(request, env, ctx);
    return new Response(null, { status: 404 });
  },
};
