import { McpAgent } from "agents/mcp";
import { createTortureServerV1 } from "./torture-server-v1.ts";

/** `McpAgent` as its documentation has it, with the tools of the torture. */
export class Session extends McpAgent {
  server = createTortureServerV1();

  override async init(): Promise<void> {
    // The tools are registered where the server is made.
  }
}

const sse = McpAgent.serveSSE("/sse", { binding: "SESSION" });

export default {
  fetch(request: Request, env: unknown, ctx: ExecutionContext): Response | Promise<Response> {
    const { pathname } = new URL(request.url);
    return pathname.startsWith("/sse") ? sse.fetch(request, env, ctx) : new Response("not here", { status: 404 });
  },
};
