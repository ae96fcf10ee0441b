import type { McpServer, Server } from "@modelcontextprotocol/server";
import type { AnyServer } from "../server-context.ts";

/**
 * Whether `server` is of SDK v2. One of SDK v1 does not speak the stateless revision 2026-07-28.
 *
 * Told by what it has, not by its class: a project may hold two copies of SDK v2, and the one that made the server need not
 * be ours. Only v2 says which revision was negotiated.
 */
export function isSdkV2(server: AnyServer): server is McpServer | Server {
  const protocol: unknown = "server" in server ? server.server : server;
  return typeof Reflect.get(Object(protocol), "getNegotiatedProtocolVersion") === "function";
}
