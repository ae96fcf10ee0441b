import type { Settings } from "../options.ts";
import { formatEventId, parseEventId } from "../protocol/event-id.ts";
import * as refusals from "../protocol/refusals.ts";
import { endpointFrame } from "../protocol/sse-frame.ts";
import { headOf, sseStream, unpackRefusal, type Verb } from "../session/link.ts";
import { type AttachTarget, SessionSource } from "./attach.ts";
import { admitBody } from "./gate.ts";
import { askObject, findSession, toObject } from "./sessions.ts";
import { openingFrame, StreamRelay } from "./stream-relay.ts";
import { Uplink } from "./uplink.ts";

/** The longest body that goes over the stream's WebSocket, bytes: a longer one would hold up what comes behind it. */
const maxCarriedBytes = 64 * 1024;

/** An object says what became of a POST at `journalAfterMs`; this is the margin until it is asked, milliseconds. */
const carryMarginMs = 1_000;

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
  return relay(request, url, lane, { sessionId, kind: "new", after: undefined });
}

function relay(request: Request, url: URL, lane: SseLane, target: AttachTarget): Promise<Response> {
  const { namespace, settings } = lane;
  const retryMs = retryFor(request, settings);
  const { sessionId, after: sequence = 0 } = target;
  const endpoint = `${settings.publicPath}${withoutSlash(url.pathname)}/message?sessionId=${sessionId}`;
  const id = formatEventId({ sessionId, stream: sseStream, sequence });
  const isClaiming = target.kind === "new" && mayHaveSession(request);
  const openedAtMs = Date.now();
  const uplink = new Uplink();
  const source = new SessionSource(namespace, { stream: sseStream, openedAtMs, uplink });
  const claim = isClaiming ? { endpointFrame: endpointFrame(id, endpoint, {}) } : undefined;
  const preamble = isClaiming ? openingFrame(retryMs) : endpointFrame(id, endpoint, { retryMs });
  return StreamRelay.open({ source, target, claim, settings }, { preamble });
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
export async function postMessage(request: Request, url: URL, lane: SseLane): Promise<Response> {
  const sessionId = url.searchParams.get("sessionId");
  if (sessionId === null) return refusals.missingSessionId({ where: "query" });
  // Where the session's stream is in this isolate, there is a way to the session.
  const uplink = Uplink.of(sessionId);
  const admitted = await admitBody(request, lane.settings, { readUpTo: uplink === undefined ? 0 : maxCarriedBytes });
  if (!admitted.ok) return admitted.refusal;
  const { text } = admitted;
  if (uplink === undefined || text === undefined || text.length > maxCarriedBytes) {
    return await ask(lane, sessionId, request, { verb: "sse-message", text });
  }
  const patienceMs = lane.settings.journalAfterMs + carryMarginMs;
  const { receipt, key } = await uplink.carry(sessionId, { head: headOf(request), text }, patienceMs);
  if (receipt === undefined) {
    // Only the object knows what became of it.
    return await ask(lane, sessionId, request, { verb: key === undefined ? "sse-message" : "sse-again", text, key });
  }
  return receipt.refusal === undefined ? new Response(null, { status: 202 }) : unpackRefusal(receipt.refusal);
}

async function ask(
  { namespace }: SseLane,
  sessionId: string,
  request: Request,
  { verb, ...rest }: { verb: Verb; text: string | undefined; key?: string | undefined },
): Promise<Response> {
  const session = findSession(namespace, sessionId);
  return session === undefined ? refusals.unknownSession() : await askObject(session, toObject(request, verb, rest));
}

function withoutSlash(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}
