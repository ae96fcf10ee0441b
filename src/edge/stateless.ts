import {
  createMcpHandler,
  isLegacyRequest,
  type McpHttpHandler,
  type McpServerFactory,
  SUPPORTED_PROTOCOL_VERSIONS,
} from "@modelcontextprotocol/server";
import type { Settings } from "../options.ts";
import { echoableId, isObject } from "../protocol/json-rpc.ts";
import * as refusals from "../protocol/refusals.ts";
import { isSdkV2 } from "../sdk-v2.ts";
import type { ServerFactory } from "../server-context.ts";
import { logCalls } from "./stateless-log.ts";
import { publishChanges, Subscriptions } from "./subscriptions.ts";

/** Revision 2026-07-28: no session, no initialize; each POST is served by a server of its own. */
export interface StatelessLane {
  handler: McpHttpHandler;
  subscriptions: Subscriptions;
  /** Why a request got no server, of which the SDK says only that there is an error. */
  failures: WeakMap<Request, unknown>;
}

/** Instead of a server of SDK v1, which does not speak this revision. */
const isOfSdkV1 = new Error("createServer returned a server of SDK v1");

/** Whether a POST without session is of the stateless revision. `body` is its parsed JSON. */
export async function isStateless(request: Request, body: unknown): Promise<boolean> {
  return !(await isLegacyRequest(request, body));
}

export function createStatelessLane<Env>(
  createServer: ServerFactory<Env>,
  { env, settings }: { env: () => Env; settings: Settings },
): StatelessLane {
  const failures = new WeakMap<Request, unknown>();
  const factory: McpServerFactory = async (context) => {
    try {
      const server = await createServer({ ...context, env: env() });
      if (!isSdkV2(server)) throw isOfSdkV1;
      publishChanges(server, handler.notify);
      logCalls(server);
      return server;
    } catch (error) {
      if (context.requestInfo !== undefined) failures.set(context.requestInfo, error);
      throw error;
    }
  };
  const { maxBodyBytes, maxSubscriptions, keepAliveMs } = settings;
  // One for every path that leads here: it bounds those who listen, and tells all of them of a change. The SDK's own, which
  // tools are shown the request of, as it came: others want one spelling of one path.
  const handler = createMcpHandler(factory, {
    legacy: "reject",
    maxRequestBodySize: maxBodyBytes,
    maxSubscriptions,
    keepAliveMs,
  });
  return { handler, subscriptions: new Subscriptions(maxSubscriptions), failures };
}

/** `body`: that of `request`, which has been read. */
export async function answerStateless(request: Request, body: unknown, lane: StatelessLane): Promise<Response> {
  const listens = isObject(body) && body["method"] === "subscriptions/listen";
  if (listens) await lane.subscriptions.makeRoom(request);
  const response = await lane.handler.fetch(request, { parsedBody: body });
  if (!lane.failures.has(request)) return listens ? lane.subscriptions.hold(response, request) : response;
  const failure = lane.failures.get(request);
  if (failure !== isOfSdkV1) return refusals.incident(failure, echoableId(body));
  const requested = request.headers.get("mcp-protocol-version") ?? "2026-07-28";
  const supported = SUPPORTED_PROTOCOL_VERSIONS.filter((version) => version < "2026-07-28");
  return refusals.unsupportedProtocolVersion({ requested, supported }, echoableId(body));
}
