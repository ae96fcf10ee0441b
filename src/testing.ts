import {
  type AuthInfo,
  Client,
  type ClientOptions,
  InMemoryTransport,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from "@modelcontextprotocol/client";
import { callerOf, noteCaller } from "./link/caller.ts";
import { resolveOptions } from "./options.ts";
import { isRequest, isResponse } from "./protocol/json-rpc.ts";
import { writeMessage, writeResponse } from "./protocol/message-json.ts";
import { checkedFactory } from "./sdk/build-server.ts";
import { listOthers } from "./sdk/listings.ts";
import type { ServerContext, ServerFactory, User } from "./server-context.ts";
import { messageExtra } from "./session/calls/http-source.ts";
import { SessionTransport } from "./session/server/transport.ts";
import { clientCapabilitiesOf, HandshakeRecord } from "./session/stored/handshake.ts";
import { processMemory, processUserMemory } from "./session/stored/memory.ts";

/** Options of {@linkcode connectTestClient}, beside those of the SDK's `Client`. All may be left out. */
export interface TestClientOptions<Env> extends ClientOptions {
  /** The bindings that the server gets. None if not given. */
  env?: Env;
  /** The HTTP request that `createServer` and the tools are told of, as in a deployed server. None if not given, as over stdio. */
  request?: Request;
  /** Headers of that request, beside its own. */
  headers?: Record<string, string>;
  /** Whose session it is, as `auth` would say. Without a `memory`, one that is empty; two clients may share one. */
  user?: Pick<User, "id"> & Partial<User>;
  /** What `auth` would say of whoever calls. Of a `user` alone: no token and no scopes. */
  authInfo?: AuthInfo;
  /** Called with the client before it connects: the place for its request handlers, such as `elicitation/create`. */
  prepare?: (client: Client) => void;
}

/**
 * Connects a client to a server of its own, in memory: no port, no process, no Worker. For tests of `createServer`.
 *
 * The session has a `memory`, and is of revision 2025-11-25 or older, as on `/sse`: what either says is JSON, a result that is
 * none or too large is an error, what a client has not declared it is not asked, and a tool cannot close it. Close the client
 * when done.
 * @throws what `createServer` threw.
 */
export async function connectTestClient<Env = Cloudflare.Env>(
  createServer: ServerFactory<Env>,
  { env, request: given, headers, user, authInfo, prepare, ...clientOptions }: TestClientOptions<Env> = {},
): Promise<Client> {
  const [clientEnd, serverEnd] = InMemoryTransport.createLinkedPair();
  const request = requestFrom({ request: given, headers, user, authInfo });
  const told = request === undefined ? {} : { requestInfo: request, ...toldOfCaller(request, user) };
  const server = await checkedFactory(createServer)({
    era: "legacy",
    env: env ?? ({} as Env),
    memory: processMemory(),
    ...told,
  });
  listOthers(server);
  await server.connect(sessionOver(serverEnd, request) as never);
  const client = new Client({ name: "test", version: "1.0.0" }, clientOptions);
  prepare?.(client);
  await client.connect(clientEnd);
  return client;
}

/** The transport that a session has on the edge, over `wire`. */
function sessionOver(wire: InMemoryTransport, request: Request | undefined): SessionTransport {
  const open = new Map<RequestId, JSONRPCRequest>();
  const record = new HandshakeRecord(undefined, () => undefined);
  const bounds = { ...resolveOptions({}), hasRoomFor: () => true };
  const write = (message: JSONRPCMessage): string | undefined => {
    if (!isResponse(message)) {
      const { method } = message;
      return record.wants(message)
        ? writeMessage(message, { name: method, advice: "Send less at once." }, bounds)
        : undefined;
    }
    const asked = message.id === undefined ? undefined : open.get(message.id);
    if (asked === undefined) return undefined;
    open.delete(asked.id);
    if ("result" in message) record.noteAnswered(asked, message);
    return writeResponse(message, asked, bounds).json;
  };
  const transport = new SessionTransport({
    sessionId: crypto.randomUUID(),
    incarnation: "test",
    target: {
      clientCapabilities: () => clientCapabilitiesOf(record.handshake),
      emit(message) {
        const json = write(message);
        // A client that is gone hears nothing.
        if (json !== undefined) void wire.send(JSON.parse(json) as JSONRPCMessage).catch(() => undefined);
      },
    },
  });
  wire.onmessage = (said) => {
    const message = JSON.parse(JSON.stringify(said)) as JSONRPCMessage;
    if (isRequest(message)) open.set(message.id, message);
    transport.receive(message, request && messageExtra(request));
    if ("method" in message && message.method === "notifications/cancelled")
      open.delete(message.params?.["requestId"] as RequestId);
  };
  wire.onclose = () => transport.end();
  return transport;
}

function toldOfCaller(request: Request, user: Partial<User> | undefined): Pick<ServerContext, "user" | "authInfo"> {
  const caller = callerOf(request);
  if (caller === undefined) return {};
  const memory = user?.memory ?? processUserMemory();
  return { user: { id: caller.principal, memory }, authInfo: caller.authInfo };
}

/** The request that the test tells of, if it tells of any. */
function requestFrom({
  request,
  headers,
  user,
  authInfo,
}: {
  request: Request | undefined;
  headers: Record<string, string> | undefined;
  user: Pick<User, "id"> | undefined;
  authInfo: AuthInfo | undefined;
}): Request | undefined {
  const principal = user?.id ?? authInfo?.clientId;
  if (request === undefined && headers === undefined && principal === undefined) return undefined;
  const from = request ?? new Request("http://localhost/sse/message", { method: "POST" });
  const told = new Request(from, { headers: { ...Object.fromEntries(from.headers), ...headers } });
  if (principal === undefined) return told;
  noteCaller(told, { principal, owner: "", authInfo: authInfo ?? { token: "", clientId: principal, scopes: [] } });
  return told;
}
