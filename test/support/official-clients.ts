import type { FetchLike, ProgressCallback } from "@modelcontextprotocol/client";
import * as v2 from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport as SseTransportV1 } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport as HttpTransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";

/** A request as a user of either SDK makes it. */
export type ClientRequest =
  | { method: "ping" | "tools/list" | "resources/list" | "resources/templates/list" | "prompts/list" }
  | { method: "tools/call"; params: { name: string; arguments: Record<string, unknown> } }
  | { method: "resources/read"; params: { uri: string } }
  | { method: "prompts/get"; params: { name: string; arguments: Record<string, string> } }
  | {
      method: "completion/complete";
      params: { ref: { type: "ref/prompt"; name: string }; argument: { name: string; value: string } };
    }
  | { method: "logging/setLevel"; params: { level: "debug" | "info" | "warning" } };

/** Who sits at the client: what is given is declared as a capability, and answers. */
export interface User {
  elicit?: (
    message: string,
  ) => { action: "accept"; content: Record<string, string | number> } | { action: "decline" | "cancel" };
  /** What the model says to a prompt. */
  sample?: (prompt: string) => string;
  roots?: { uri: string; name: string }[];
}

interface Notification {
  method: string;
  params?: Record<string, unknown> | undefined;
}

/** A client of the official SDK, v1 or v2, behind one face. */
export interface OfficialClient {
  send(request: ClientRequest, options?: { onprogress?: ProgressCallback }): Promise<unknown>;
  /**
   * Notifications that have arrived, in order. They are noted before the SDK sees them: of a last progress part that
   * comes in one chunk with the answer, neither version tells its user.
   */
  notifications: Notification[];
  /** The negotiated revision. */
  revision(): string | undefined;
  serverInfo(): { name: string; version: string } | undefined;
  sessionId(): string | undefined;
  close(): Promise<void>;
}

const clientInfo = { name: "official", version: "1.0.0" };

/** Longer than the SDK's default of 60 s: a test says when it has waited long enough. */
const timeout = 150_000;

export type SdkTransport = "sse" | "http";

export async function connectV1(url: string, transportName: SdkTransport, user: User = {}): Promise<OfficialClient> {
  const client = new ClientV1(clientInfo, { capabilities: capabilitiesOf(user) });
  const { elicit, sample, roots } = user;
  if (elicit) client.setRequestHandler(ElicitRequestSchema, ({ params }) => elicit(params.message));
  if (sample) client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => sampled(sample, params));
  if (roots) client.setRequestHandler(ListRootsRequestSchema, () => ({ roots }));
  const { fetch, sessionId, revision } = observedFetch();
  const transport =
    transportName === "sse"
      ? new SseTransportV1(new URL(url), { fetch })
      : new HttpTransportV1(new URL(url), { fetch });
  await client.connect(transport, { timeout });
  const notifications = noteNotifications(transport);
  return {
    send: (request, options) => sendV1(client, request, { ...options, timeout }),
    notifications,
    revision,
    serverInfo: () => client.getServerVersion(),
    sessionId,
    close: () => client.close(),
  };
}

type RequestOptionsV1 = NonNullable<Parameters<ClientV1["ping"]>[0]>;

function sendV1(client: ClientV1, request: ClientRequest, options: RequestOptionsV1): Promise<unknown> {
  switch (request.method) {
    case "ping":
      return client.ping(options);
    case "tools/list":
      return client.listTools(undefined, options);
    case "resources/list":
      return client.listResources(undefined, options);
    case "resources/templates/list":
      return client.listResourceTemplates(undefined, options);
    case "prompts/list":
      return client.listPrompts(undefined, options);
    case "tools/call":
      return client.callTool(request.params, undefined, options);
    case "resources/read":
      return client.readResource(request.params, options);
    case "prompts/get":
      return client.getPrompt(request.params, options);
    case "completion/complete":
      return client.complete(request.params, options);
    case "logging/setLevel":
      return client.setLoggingLevel(request.params.level, options);
  }
}

export interface ConnectV2Options {
  user?: User;
  /** `auto` asks the server with `server/discover`; `legacy` initializes a session. */
  mode?: "legacy" | "auto";
}

/** `headers`: those of each of its requests. */
export async function connectV2(
  url: string,
  transportName: SdkTransport,
  { headers = {}, ...options }: ConnectV2Options & { headers?: Record<string, string> } = {},
): Promise<OfficialClient> {
  const { fetch, sessionId } = observedFetch();
  const requestInit = { headers };
  const transport =
    transportName === "sse"
      ? new v2.SSEClientTransport(new URL(url), { fetch, requestInit })
      : new v2.StreamableHTTPClientTransport(new URL(url), { fetch, requestInit });
  return { ...(await connectTransportV2(transport, options)), sessionId };
}

/** A server on stdio: `script` is run by the Node that runs the test, as `npm run stdio` would. */
export function connectStdio(
  script: string,
  { args = [], cwd, ...options }: ConnectV2Options & { args?: string[]; cwd?: string } = {},
): Promise<OfficialClient> {
  const place = cwd === undefined ? {} : { cwd };
  const transport = new StdioClientTransport({ command: process.execPath, args: [script, ...args], ...place });
  return connectTransportV2(transport, options);
}

async function connectTransportV2(
  transport: v2.Transport,
  { user = {}, mode = "legacy" }: ConnectV2Options,
): Promise<OfficialClient> {
  const client = new v2.Client(clientInfo, { capabilities: capabilitiesOf(user), versionNegotiation: { mode } });
  const { elicit, sample, roots } = user;
  if (elicit) client.setRequestHandler("elicitation/create", ({ params }) => elicit(params.message));
  if (sample) client.setRequestHandler("sampling/createMessage", ({ params }) => sampled(sample, params));
  if (roots) client.setRequestHandler("roots/list", () => ({ roots }));
  await client.connect(transport, { timeout });
  const notifications = noteNotifications(transport);
  return {
    send: (request, options) => sendV2(client, request, { ...options, timeout }),
    notifications,
    revision: () => client.getNegotiatedProtocolVersion(),
    serverInfo: () => client.getServerVersion(),
    sessionId: () => undefined,
    close: () => client.close(),
  };
}

function sendV2(client: v2.Client, request: ClientRequest, options: v2.RequestOptions): Promise<unknown> {
  const isStateless = client.getProtocolEra() === "modern";
  // Without a session there is no level to set once: each request says how much it wants to hear.
  const _meta = isStateless ? { _meta: { [v2.LOG_LEVEL_META_KEY]: "info" as const } } : {};
  switch (request.method) {
    case "ping":
      return client.ping(options);
    case "tools/list":
      return client.listTools(undefined, options);
    case "resources/list":
      return client.listResources(undefined, options);
    case "resources/templates/list":
      return client.listResourceTemplates(undefined, options);
    case "prompts/list":
      return client.listPrompts(undefined, options);
    case "tools/call":
      return client.callTool({ ...request.params, ..._meta }, options);
    case "resources/read":
      return client.readResource(request.params, options);
    case "prompts/get":
      return client.getPrompt(request.params, options);
    case "completion/complete":
      return client.complete(request.params, options);
    case "logging/setLevel":
      return client.setLoggingLevel(request.params.level, options);
  }
}

function capabilitiesOf({ elicit, sample, roots }: User) {
  return {
    ...(elicit && { elicitation: {} }),
    ...(sample && { sampling: {} }),
    ...(roots && { roots: { listChanged: true } }),
  };
}

function sampled(sample: (prompt: string) => string, { messages }: { messages: { content: unknown }[] }) {
  const [first] = messages;
  const prompt = (first?.content as { text?: string } | undefined)?.text ?? "";
  return { role: "assistant" as const, model: "test", content: { type: "text" as const, text: sample(prompt) } };
}

/** Notes what arrives on a connected transport. */
function noteNotifications<Rest extends unknown[]>(transport: {
  onmessage?: ((message: v2.JSONRPCMessage, ...rest: Rest) => void) | undefined;
}): Notification[] {
  const notifications: Notification[] = [];
  const { onmessage } = transport;
  transport.onmessage = (message, ...rest) => {
    if ("method" in message && !("id" in message))
      notifications.push({ method: message.method, params: message.params });
    onmessage?.call(transport, message, ...rest);
  };
  return notifications;
}

interface Observed {
  fetch: FetchLike;
  sessionId: () => string | undefined;
  revision: () => string | undefined;
}

/** `fetch`, which notes what only the wire has: the session over SSE, and the revision that SDK v1 has negotiated. */
function observedFetch(): Observed {
  let sessionId: string | undefined;
  let revision: string | undefined;
  return {
    fetch: (url, init) => {
      const headers = new Headers(init?.headers);
      sessionId = new URL(url).searchParams.get("sessionId") ?? headers.get("mcp-session-id") ?? sessionId;
      revision = headers.get("mcp-protocol-version") ?? revision;
      return fetch(url, init);
    },
    sessionId: () => sessionId,
    revision: () => revision,
  };
}
