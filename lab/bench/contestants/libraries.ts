import { DurableObject } from "cloudflare:workers";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { createEchoServer } from "./echo-server.ts";

/**
 * What this project stands on, with none of its own code: the SDK's server, its handler for the stateless revision, and
 * zod. Nothing to measure speed with: it is here for its size, and the time that it takes to load.
 */
export class Session extends DurableObject {}

let handler: ReturnType<typeof createMcpHandler> | undefined;

export default {
  fetch(request: Request): Promise<Response> {
    handler ??= createMcpHandler(createEchoServer, { legacy: "reject" });
    return handler.fetch(request);
  },
};
