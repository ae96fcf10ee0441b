import type { Settings } from "../options.ts";
import { parseEventId } from "../protocol/event-id.ts";
import * as refusals from "../protocol/refusals.ts";
import { endpointFrame } from "../protocol/sse-frame.ts";
import { sseStream } from "../session/link.ts";
import { attachStream, returnFrames } from "./attach.ts";
import { admitBody } from "./gate.ts";
import { askObject, findSession, toObject } from "./sessions.ts";
import { type AttachTarget, openingFrame, StreamRelay } from "./stream-relay.ts";

/**
 * The HTTP+SSE transport (revision 2024-11-05, Transports): GET opens the stream, POST to its `endpoint` sends.
 * Which session a new stream belongs to is decided here, from what little a reconnecting client says of itself.
 */
export interface SseLane {
  namespace: DurableObjectNamespace;
  settings: Settings;
}

/** `GET /sse`. A living server answers 200: anything else ends a client's stream for good. */
export async function openStream(request: Request, url: URL, lane: SseLane): Promise<Response> {
  return (await resumeStream(request, url, lane)) ?? (await openSession(request, url, lane));
}

/** A client that says how far it got: the rest, in order. `undefined` if it says nothing, or its session has ended. */
async function resumeStream(request: Request, url: URL, lane: SseLane): Promise<Response | undefined> {
  const last = parseEventId(request.headers.get("last-event-id") ?? "");
  if (last === undefined || last.stream !== sseStream) return undefined;
  const target: AttachTarget = { sessionId: last.sessionId, kind: "resumed", after: last.sequence };
  const response = await relay(request, url, lane, target);
  return response.ok ? response : undefined;
}

function openSession(request: Request, url: URL, lane: SseLane): Promise<Response> {
  const sessionId = lane.namespace.newUniqueId().toString();
  const kind = mayHaveSession(request) ? "claiming" : "fresh";
  return relay(request, url, lane, { sessionId, kind, after: undefined });
}

function relay(request: Request, url: URL, lane: SseLane, target: AttachTarget): Promise<Response> {
  const { namespace, settings } = lane;
  const retryMs = retryFor(request, settings);
  const endpoint = `${settings.publicPath}${withoutSlash(url.pathname)}/message?sessionId=${target.sessionId}`;
  const isClaiming = target.kind === "claiming";
  const source = { namespace, stream: sseStream, openedAtMs: Date.now() };
  return StreamRelay.open({
    target,
    attach: (to) => attachStream(source, to),
    giveBack: (session, packed) => returnFrames(source, session, packed),
    preamble: isClaiming ? openingFrame(retryMs) : endpointFrame(endpoint, { retryMs }),
    claim: isClaiming ? { endpoint } : undefined,
    settings,
  });
}

/**
 * Whether the client may be one that had a session and cannot say which: the TypeScript SDK since 1.13 sends
 * `mcp-protocol-version` on every GET but its first. The AI SDK and Java send it on the first as well and would not
 * understand the question.
 */
function mayHaveSession(request: Request): boolean {
  if (!request.headers.has("mcp-protocol-version")) return false;
  const agent = request.headers.get("user-agent") ?? "";
  return !agent.includes("ai-sdk/") && !isJava(agent);
}

/** Java's HTTP client breaks the stream at a `retry:` line. */
function retryFor(request: Request, { retryMs }: Settings): number | undefined {
  return isJava(request.headers.get("user-agent") ?? "") ? undefined : retryMs;
}

function isJava(userAgent: string): boolean {
  return userAgent.startsWith("Java-http-client") || userAgent.startsWith("Java/");
}

/** `POST /sse/message?sessionId=…`: 202, and the answer comes on the stream. */
export async function postMessage(request: Request, url: URL, { namespace, settings }: SseLane): Promise<Response> {
  const sessionId = url.searchParams.get("sessionId");
  if (sessionId === null) return refusals.missingSessionId({ where: "query" });
  const session = findSession(namespace, sessionId);
  if (session === undefined) return refusals.unknownSession();
  const admitted = await admitBody(request, settings);
  if (!admitted.ok) return admitted.refusal;
  return await askObject(session, toObject(request, "sse-message", admitted.text));
}

function withoutSlash(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}
