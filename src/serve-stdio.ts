import type { McpServer, McpServerFactory } from "@modelcontextprotocol/server";
import { serveStdio as serveSdkStdio } from "@modelcontextprotocol/server/stdio";
import { StdioLines } from "./stdio-lines.ts";
import { listOthers } from "./listings.ts";
import { isSdkV2 } from "./sdk-v2.ts";
import type { ServerFactory } from "./server-context.ts";
import { processMemory } from "./session/memory.ts";

/**
 * Serves what `createServer` builds on stdin and stdout of this process (MCP, transports: stdio), which is one session:
 * `memory` and `env` are those of the process. Nothing else may write to stdout.
 *
 * What goes wrong outside of a tool is written to stderr, with its cause: a `createServer` that throws, of which the client
 * is told no more than -32603; also a client that asks a server of SDK v1 for revision 2026-07-28, and is told the same.
 */
export function serveStdio<Env = Cloudflare.Env>(createServer: ServerFactory<Env>): void {
  const memory = processMemory();
  const factory: McpServerFactory = async (context) => {
    const server = await createServer({ ...context, env: process.env as Env, memory });
    if (context.era === "modern" && !isSdkV2(server)) {
      throw new Error("A server of SDK v1 does not speak revision 2026-07-28; a client can initialize a session.");
    }
    listOthers(server);
    // For a session it takes those of SDK v1 as well, though its type does not say so.
    return server as McpServer;
  };
  serveSdkStdio(factory, { transport: new StdioLines(), onerror: (error) => console.error(error) });
}
