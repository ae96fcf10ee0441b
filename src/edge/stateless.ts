import {
  isLegacyRequest,
  McpServer,
  type McpServerFactory,
  Server,
  SUPPORTED_PROTOCOL_VERSIONS,
} from "@modelcontextprotocol/server";
import { createMcpHandler, type StatelessMcpHandler } from "agents/mcp/server";
import type { Settings } from "../options.ts";
import { echoableId } from "../protocol/json-rpc.ts";
import * as refusals from "../protocol/refusals.ts";
import type { AnyServer, ServerFactory } from "../server-context.ts";
import { publishChanges } from "./subscriptions.ts";

/** Revision 2026-07-28: no session, no initialize; each POST is served by a server of its own. */
export interface StatelessLane {
  handlerFor(path: string): StatelessMcpHandler;
  /** Requests for which the factory returned a server of SDK v1, which does not speak this revision. */
  unserved: WeakSet<Request>;
}

/** Whether a POST without session is of the stateless revision. `body` is its parsed JSON. */
export async function isStateless(request: Request, body: unknown): Promise<boolean> {
  return !(await isLegacyRequest(request, body));
}

export function createStatelessLane<Env>(
  createServer: ServerFactory<Env>,
  { env, settings }: { env: () => Env; settings: Settings },
): StatelessLane {
  const unserved = new WeakSet<Request>();
  const handlers = new Map<string, StatelessMcpHandler>();
  const factory: McpServerFactory = async (context) => {
    const server = await createServer({ ...context, env: env() });
    if (isSdkV2(server)) {
      publishChanges(server, () => Array.from(handlers.values(), ({ notify }) => notify));
      return server;
    }
    if (context.requestInfo !== undefined) unserved.add(context.requestInfo);
    throw new Error("The factory returned a server of SDK v1, which does not speak revision 2026-07-28");
  };
  const handlerFor = (path: string): StatelessMcpHandler => {
    const known = handlers.get(path);
    if (known !== undefined) return known;
    const handler = createMcpHandler(factory, {
      route: path,
      legacy: "reject",
      maxRequestBodySize: settings.maxBodyBytes,
      maxSubscriptions: settings.maxSubscriptions,
      keepAliveMs: settings.keepAliveMs,
      // The gate has checked origin and host, and adds the CORS headers, for every lane alike.
      corsOptions: false,
      allowedOriginHostnames: "*",
    });
    handlers.set(path, handler);
    return handler;
  };
  return { handlerFor, unserved };
}

export async function answerStateless(request: Request, body: unknown, lane: StatelessLane): Promise<Response> {
  const response = await lane.handlerFor(new URL(request.url).pathname).fetch(request, { parsedBody: body });
  if (!lane.unserved.has(request)) return response;
  const requested = request.headers.get("mcp-protocol-version") ?? "2026-07-28";
  const supported = SUPPORTED_PROTOCOL_VERSIONS.filter((version) => version < "2026-07-28");
  return refusals.unsupportedProtocolVersion({ requested, supported }, echoableId(body));
}

function isSdkV2(server: AnyServer): server is McpServer | Server {
  return server instanceof McpServer || server instanceof Server;
}
