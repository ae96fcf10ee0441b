import type { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import { edge, type ServerContext } from "../../../src/index.ts";
import { createEchoServer } from "./echo-server.ts";

/** What the peers on one machine serve as well: a call that takes its time, and something that its session remembers. */
function createServer({ memory }: ServerContext): McpServer {
  const server = createEchoServer();
  const wait = { inputSchema: z.object({ ms: z.int() }), annotations: { idempotentHint: true } };
  server.registerTool("wait", wait, async ({ ms }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return { content: [{ type: "text", text: "waited" }] };
  });
  server.registerTool("count", {}, () => {
    const count = Number(memory?.get("count") ?? 0) + 1;
    memory?.set("count", count);
    return { content: [{ type: "text", text: String(count) }] };
  });
  return server;
}

const app = edge(createServer);

export class Session extends app.Session {}

export default { fetch: app.fetch };
