import { McpServer, Server } from "@modelcontextprotocol/server";
import type { AnyServer } from "../server-context.ts";

/** Whether `server` is of SDK v2. One of SDK v1 does not speak the stateless revision 2026-07-28. */
export function isSdkV2(server: AnyServer): server is McpServer | Server {
  return server instanceof McpServer || server instanceof Server;
}
