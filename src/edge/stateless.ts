import { AsyncLocalStorage } from "node:async_hooks";
import {
  type AuthInfo,
  createMcpHandler,
  isLegacyRequest,
  type JSONRPCRequest,
  type McpHttpHandler,
  type McpServerFactory,
  type RequestId,
  SUPPORTED_PROTOCOL_VERSIONS,
} from "@modelcontextprotocol/server";
import { callerOf } from "../link/caller.ts";
import { whoseIs } from "../call-log.ts";
import { withoutMemory } from "../development.ts";
import { namedIn } from "../sdk/call-hooks.ts";
import { callLogger } from "../sdk/call-logger.ts";
import { prepare } from "../sdk/prepare.ts";
import { refuseScopes } from "../sdk/refuse-scopes.ts";
import { challengeOf } from "../sdk/scopes.ts";
import type { Settings } from "../options.ts";
import { echoableId, isObject, isRequest } from "../protocol/json-rpc.ts";
import { readableByAll } from "../protocol/message-json.ts";
import * as refusals from "../protocol/refusals.ts";
import { sealed } from "../protocol/sealed-request.ts";
import { utf8 } from "../protocol/utf8.ts";
import { isSdkV2 } from "../sdk/sdk-v2.ts";
import { type Tap, tap } from "../sdk/tap.ts";
import { writable } from "../sdk/writable.ts";
import { userIn } from "../link/user-memory.ts";
import type { AnyServer, ServerFactory } from "../server-context.ts";
import { listensUndeclared, tasksExtension } from "../tasks/extension.ts";
import { Changes } from "./changes.ts";
import { onlyRequest } from "./only-request.ts";
import { Subscriptions } from "./subscriptions.ts";
import { offerTasks } from "./tasks.ts";

/** Revision 2026-07-28: no session, no initialize; each POST is served by a server of its own. */
export interface StatelessServer {
  handler: McpHttpHandler;
  changes: Changes;
  subscriptions: Subscriptions;
}

/** Instead of a server of SDK v1, which does not speak this revision. */
const isOfSdkV1 = new Error("createServer returned a server of SDK v1");

/** What the SDK does not know, or not say, of a request. */
interface Served {
  /** What its client wants to hear the changes of: as if it read that. */
  heard: JSONRPCRequest[];
  /** Its answer, if it may not. */
  refusal?: Response | undefined;
  /** Why it fails: the SDK tells its client only that it does, and the log nothing. */
  fault?: unknown;
}

/** That is being served. */
const requests = new AsyncLocalStorage<Served>();

function noteFault(fault: unknown): void {
  const served = requests.getStore();
  // The first is the cause.
  if (served !== undefined) served.fault ??= fault;
}

/** The SDK's, for a request whose server was closed before it answered: its client hung up, or a tool did it. */
const closedStatus = 499;

/** What can be negotiated by `initialize`. */
const sessionVersions = SUPPORTED_PROTOCOL_VERSIONS.filter((version) => version < "2026-07-28");

/** Whether a POST without session is of the stateless revision. `body` is its parsed JSON. */
export async function isStateless(request: Request, body: unknown): Promise<boolean> {
  return !(await isLegacyRequest(request, body));
}

export function createStatelessServer<Env>(
  createServer: ServerFactory<Env>,
  { env, namespace, settings }: { env: Env; namespace: DurableObjectNamespace; settings: Settings },
): StatelessServer {
  const changes = new Changes(namespace);
  const factory: McpServerFactory = async (context) => {
    try {
      const known = context.requestInfo && callerOf(context.requestInfo);
      const told = withoutMemory({ ...context, ...userIn(known, namespace), env });
      const server = await createServer(told);
      if (!isSdkV2(server)) throw isOfSdkV1;
      const user = namedIn(told);
      tap(server, [
        onlyRequest(),
        writable(),
        callLogger({
          lane: "stateless",
          whose: await whoseIs(undefined, user?.id),
          traceparent: context.requestInfo?.headers.get("traceparent"),
          write: (line) => console.log(line),
        }),
        changes.tap(known?.owner),
        ...(settings.sessions === "preferred" ? [sessionsPreferred()] : []),
      ]);
      prepare(server, settings, { lane: () => "stateless", user }, known?.authInfo);
      // After that, by which a tool may be hidden.
      offerTasks(server, { request: context.requestInfo, namespace });
      await refuseListening(server, known?.authInfo);
      return server;
    } catch (error) {
      noteFault(error);
      throw error;
    }
  };
  const { maxBodyBytes, maxSubscriptions } = settings;
  // One handler for all paths, as it counts who listens, and tells all of them of a change. The SDK's: that of `agents` takes one
  // path only, so that tools would see another URL than their client's.
  const handler = createMcpHandler(factory, {
    legacy: "reject",
    onerror: noteFault,
    bus: changes.bus,
    maxRequestBodySize: maxBodyBytes,
    maxSubscriptions,
    // `passOn` writes keep-alives.
    keepAliveMs: 0,
  });
  return { handler, changes, subscriptions: new Subscriptions(maxSubscriptions, changes) };
}

/** `body`: that of `received`, which has been read. */
export async function answerStateless(received: Request, body: unknown, server: StatelessServer): Promise<Response> {
  const request = sealed(received);
  const listens = isObject(body) && body["method"] === "subscriptions/listen";
  if (listensUndeclared(body)) return refusals.missingExtension(tasksExtension, echoableId(body));
  if (listens) await server.subscriptions.makeRoom(request);
  const told: Served = { heard: listens ? readsOf(body) : [] };
  const serve = (): Promise<Response> =>
    requests.run(told, () => server.handler.fetch(request, { parsedBody: body, ...authInfoOf(request) }));
  const response = await (listens ? server.changes.listenAs(callerOf(request)?.owner, serve) : serve());
  if (told.refusal !== undefined) return told.refusal;
  if (response.status === closedStatus && !request.signal.aborted) return refusals.closedByItself(echoableId(body));
  // Of a refusal `noteFault` is told as well: it has another status, and goes out as it is.
  if (response.status !== 500) {
    const mended = await readable(response);
    return listens ? server.subscriptions.hold(mended, request) : mended;
  }
  if (told.fault !== isOfSdkV1) return refusals.incident(told.fault, echoableId(body));
  const requested = request.headers.get("mcp-protocol-version") ?? "2026-07-28";
  return refusals.unsupportedProtocolVersion({ requested, supported: sessionVersions }, echoableId(body));
}

function authInfoOf(request: Request): { authInfo?: AuthInfo } {
  const caller = callerOf(request);
  return caller === undefined ? {} : { authInfo: caller.authInfo };
}

/** `subscriptions/listen` as reading what it names (revision 2026-07-28, Subscriptions). */
function readsOf({ params }: Record<string, unknown>): JSONRPCRequest[] {
  const { notifications } = Object(params) as Record<string, unknown>;
  const { resourceSubscriptions: uris } = Object(notifications) as Record<string, unknown>;
  if (!Array.isArray(uris)) return [];
  return uris.map((uri: unknown) => ({ jsonrpc: "2.0", id: 0, method: "resources/read", params: { uri } }));
}

/** The SDK asks for scopes of who reads a resource; of who listens to its changes it does not. @throws if that may not. */
async function refuseListening(server: AnyServer, authInfo: AuthInfo | undefined): Promise<void> {
  const served = requests.getStore();
  const challenge = challengeOf(server);
  if (served === undefined || challenge === undefined) return;
  served.refusal = await refuseScopes(served.heard, authInfo, challenge);
  if (served.refusal !== undefined) throw new Error("it may not listen to that");
}

/**
 * Offers the session revisions only to a client that asks which there are (revision 2026-07-28, Discovery): one that speaks
 * both then initializes, and has a session. One that speaks no other is served all the same.
 */
function sessionsPreferred(): Tap {
  let asked: RequestId | undefined;
  return {
    hear(message) {
      if (isRequest(message) && message.method === "server/discover") asked = message.id;
    },
    say(message) {
      if (asked === undefined || !("result" in message) || message.id !== asked) return message;
      return { ...message, result: { ...message.result, supportedVersions: sessionVersions } };
    },
  };
}

/** What the SDK wrote, as every client can read it. */
async function readable(response: Response): Promise<Response> {
  const { body, headers } = response;
  if (body === null) return response;
  if (headers.get("content-type") !== "text/event-stream") {
    return new Response(readableByAll(await response.text()), response);
  }
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  const events = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(readableBytes(value));
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(events, response);
}

const decoder = new TextDecoder();

/** Of whole events: the SDK writes no parts of one. */
function readableBytes(events: Uint8Array): Uint8Array {
  const text = decoder.decode(events);
  const mended = readableByAll(text);
  return mended === text ? events : utf8(mended);
}
