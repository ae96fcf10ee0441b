import { McpServer, type Server } from "@modelcontextprotocol/server";
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

/**
 * Has our copy of the SDK take an `McpServer` of another copy for one. It asks by `instanceof`, and of whatever is none it
 * believes that it is a `Server`: revision 2026-07-28 then fails, and clients fall back to another without a word.
 */
export function acceptOtherCopies(): void {
  const byClass = Function.prototype[Symbol.hasInstance];
  Object.defineProperty(McpServer, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (byClass.call(this, value)) return true;
      return this === McpServer && isMcpServer(value);
    },
  });
}

function isMcpServer(value: unknown): boolean {
  return typeof value === "object" && value !== null && "server" in value && isSdkV2(value as never);
}
