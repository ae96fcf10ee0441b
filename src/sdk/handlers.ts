import type { JSONRPCRequest } from "@modelcontextprotocol/server";
import type { AnyServer } from "../server-context.ts";

/** What a server does for one method of the protocol. `context` is the SDK's, of v1 or v2. */
export type Handler = (request: JSONRPCRequest, context: unknown) => unknown;

/** What speaks the protocol for `server`: the `Server` within an `McpServer`, or itself. */
export function protocolOf(server: AnyServer): object {
  return Object(Reflect.get(server, "server") ?? server) as object;
}

/**
 * Puts `wrap` around the handlers of `server`, outside of what is around them already: also around one that is registered later,
 * such as with the first tool, and around its `fallbackRequestHandler`, by which a proxy answers all. Both SDKs keep them under
 * the same names, and look there for each request. `wrap` is called for each, too.
 */
export function wrapHandlers(server: AnyServer, wrap: (handler: Handler, method: string) => Handler): void {
  const protocol: { fallbackRequestHandler?: Handler } = protocolOf(server);
  const handlers: unknown = Reflect.get(protocol, "_requestHandlers");
  if (!(handlers instanceof Map)) return;
  const get = handlers.get.bind(handlers) as (method: string) => Handler | undefined;
  handlers.get = (method: string) => {
    const handler = get(method) ?? protocol.fallbackRequestHandler;
    return handler && wrap(handler, method);
  };
}
