import { tellTerminal, watchHandlers } from "../development.ts";
import type { AnyServer, ServerContext, ServerFactory } from "../server-context.ts";

/**
 * A `createServer` whose result is known to be a server.
 * @throws {TypeError} on a call, with what it returned, if that is none; rejects with whatever it throws itself.
 */
export function checkedFactory<Env>(createServer: ServerFactory<Env>): ServerFactory<Env> {
  return async (context: ServerContext<Env>): Promise<AnyServer> => {
    tellTerminal({ event: "started", what: "createServer" });
    try {
      const server: unknown = await createServer(context);
      if (!isServer(server)) {
        throw new TypeError(
          `createServer returned ${typeof server === "object" ? "no McpServer" : typeof server}: end it with "return server;".`,
        );
      }
      watchHandlers(server);
      return server;
    } finally {
      tellTerminal({ event: "ended", what: "createServer" });
    }
  };
}

function isServer(value: unknown): value is AnyServer {
  return typeof value === "object" && value !== null && "connect" in value && typeof value.connect === "function";
}
