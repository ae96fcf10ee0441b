import type { JSONRPCRequest } from "@modelcontextprotocol/server";
import type { AnyServer } from "../server-context.ts";

/** What a server does for one method of the protocol. `context` is the SDK's, of v1 or v2. */
export type Handler = (request: JSONRPCRequest, context: unknown) => unknown;

/** What speaks the protocol for `server`: the `Server` within an `McpServer`, or itself. */
export function protocolOf(server: AnyServer): object {
  return Object(Reflect.get(server, "server") ?? server) as object;
}

/**
 * Puts `wrap` around the handlers of `server`, also around one that is registered later, such as with the first tool. Both SDKs
 * keep them under the same name, which is not public.
 */
export function wrapHandlers(server: AnyServer, wrap: (handler: Handler, method: string) => Handler): void {
  const handlers: unknown = Reflect.get(protocolOf(server), "_requestHandlers");
  if (!(handlers instanceof Map)) return;
  const set = handlers.set.bind(handlers);
  handlers.set = (method: string, handler: Handler) => set(method, wrap(handler, method));
  for (const [method, handler] of handlers as Map<string, Handler>) {
    // Not by its `set`, which may have another around that this one has already.
    Map.prototype.set.call(handlers, method, wrap(handler, method));
  }
}
