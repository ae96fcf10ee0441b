import type { Settings } from "../options.ts";
import { steadyNow } from "../steady-clock.ts";
import { qualityOf } from "../protocol/accept.ts";
import { mayHaveSession, readsRetry } from "../protocol/clients.ts";
import { type EventId, formatEventId, parseEventId } from "../protocol/event-id.ts";
import * as refusals from "../protocol/refusals.ts";
import { endpointFrame, eventStreamHeaders, openingFrame } from "../protocol/sse-frame.ts";
import * as link from "../link/link.ts";
import { newSessionId } from "../protocol/session-id.ts";
import { type AttachTarget, clientsPosition, SessionSource } from "./attach.ts";
import { admitBody } from "./gate.ts";
import { askObject, findSession, toObject } from "./objects.ts";
import { refuseOpening } from "./opening.ts";
import { StreamRelay } from "./relay.ts";
import { Patience } from "./patience.ts";
import { Uplink } from "./uplink.ts";

/** The longest body that goes over the stream's WebSocket, bytes: a longer one would hold up what comes behind it. */
const maxCarriedBytes = 64 * 1024;

/** An object says what became of a POST at `journalAfterMs`; this is the margin until it is asked, milliseconds. */
const carryMarginMs = 1_000;

/**
 * The HTTP+SSE transport (revision 2024-11-05, Transports): GET opens the stream, POST to its `endpoint` sends.
 * Which session a new stream belongs to is decided here, from what little a reconnecting client says of itself.
 */
export interface SseOptions {
  namespace: DurableObjectNamespace;
  settings: Settings;
}

/**
 * `GET /sse`, and `GET /mcp` without a session. A living server answers 200 to whoever takes an event stream: anything else
 * ends a client's stream for good.
 */
export async function openStream(request: Request, url: URL, options: SseOptions): Promise<Response> {
  if (!takesEventStream(request)) return refusals.notAcceptable("text/event-stream");
  const last = parseEventId(request.headers.get("last-event-id") ?? "");
  if (last !== undefined && last.stream !== link.sseStream) return refusals.wrongLane();
  // Nothing is opened that nobody would read.
  if (request.method === "HEAD") return new Response(null, { headers: eventStreamHeaders });
  return (await resumeStream(request, url, options, last)) ?? (await openSession(request, url, options));
}

/** A person who opens the URL in a browser is told what it is for. `EventSource` asks for nothing else. */
function takesEventStream({ headers }: Request): boolean {
  const accept = headers.get("accept");
  const quality = qualityOf("text/event-stream", accept);
  return quality > 0 && quality >= qualityOf("text/html", accept);
}

/** A client that says how far it got: the rest, in order. `undefined` if it says nothing, or its session has ended. */
async function resumeStream(
  request: Request,
  url: URL,
  options: SseOptions,
  last: EventId | undefined,
): Promise<Response | undefined> {
  if (last === undefined) return undefined;
  const target: AttachTarget = { sessionId: last.sessionId, session: "stored", position: clientsPosition(last) };
  const response = await relay(request, url, options, target);
  return response.ok ? response : undefined;
}

async function openSession(request: Request, url: URL, options: SseOptions): Promise<Response> {
  const refusal = await refuseOpening(request, options.settings);
  if (refusal !== undefined) return refusal;
  const sessionId = newSessionId(options.namespace.newUniqueId().toString());
  return await relay(request, url, options, { sessionId, session: "new", position: undefined });
}

function relay(request: Request, url: URL, options: SseOptions, target: AttachTarget): Promise<Response> {
  const { namespace, settings } = options;
  const isRetryRead = readsRetry(request.headers);
  const retryMs = isRetryRead ? settings.retryMs : undefined;
  const sequence = target.position?.after ?? 0;
  const endpoint = `${settings.publicPath}${withoutSlash(url.pathname)}/message?${queryOf(url)}`;
  const endpointOf = (sessionId: string, toldRetryMs?: number): string =>
    endpointFrame(formatEventId({ sessionId, stream: link.sseStream, sequence }), endpoint + sessionId, toldRetryMs);
  const isClaiming = target.session === "new" && mayHaveSession(request.headers);
  const openedAtMs = steadyNow();
  const owner = link.ownerOf(request);
  const uplink = new Uplink(owner);
  const source = new SessionSource({ namespace, stream: link.sseStream, openedAtMs, owner, uplink });
  const claim = isClaiming ? { endpointFrame: (id: string) => endpointOf(id) } : undefined;
  const preamble = (id: string): string => (isClaiming ? openingFrame(retryMs) : endpointOf(id, retryMs));
  return StreamRelay.open({ source, target, claim, settings, readsRetry: isRetryRead }, { preamble });
}

/**
 * That of the GET, as it was written: a client may have put there who it is. Our parameter, whose value is to follow, is the
 * only one of its name.
 */
function queryOf({ search }: URL): string {
  const isKept = (pair: string): boolean => pair !== "" && !new URLSearchParams(pair).has("sessionId");
  return [...search.slice(1).split("&").filter(isKept), "sessionId="].join("&");
}

/** `POST /sse/message?sessionId=…`: 202, and the answer comes on the stream. */
export async function postMessage(request: Request, url: URL, options: SseOptions): Promise<Response> {
  const sessionId = url.searchParams.get("sessionId");
  if (sessionId === null) return refusals.missingSessionId({ where: "query" });
  // Where the session's stream is in this isolate, there is a way to the session; of strangers it would wait for the body.
  const uplink = Uplink.of(sessionId);
  if (uplink?.owner !== link.ownerOf(request)) {
    const admitted = await admitBody(request, options.settings);
    if (!admitted.ok) return admitted.refusal;
    return await askSession(options, sessionId, toObject(request, { verb: "sse-message" }, admitted.text));
  }
  const patience = new Patience(options.settings.journalAfterMs + carryMarginMs);
  try {
    return await postByUplink(request, { sessionId, uplink, patience, options });
  } finally {
    patience.end();
  }
}

interface ByUplink {
  sessionId: string;
  uplink: Uplink;
  patience: Patience;
  options: SseOptions;
}

async function postByUplink(request: Request, { sessionId, uplink, patience, options }: ByUplink): Promise<Response> {
  const read = { readUpTo: maxCarriedBytes, late: patience };
  const admitted = await admitBody(request, options.settings, read);
  if (!admitted.ok) return admitted.refusal;
  const { text } = admitted;
  if (text === undefined || text.length > maxCarriedBytes) {
    return await askSession(options, sessionId, toObject(request, { verb: "sse-message" }, text));
  }
  const { receipt, key } = await uplink.carry(sessionId, { head: link.headOf(request), text }, patience);
  if (receipt === undefined) {
    // Only the object knows what became of it.
    const ask: link.ClientAsk = key === undefined ? { verb: "sse-message" } : { verb: "sse-again", key };
    return await askSession(options, sessionId, toObject(request, ask, text));
  }
  return receipt.refusal === undefined ? new Response(null, { status: 202 }) : link.unpackResponse(receipt.refusal);
}

async function askSession({ namespace }: SseOptions, sessionId: string, request: Request): Promise<Response> {
  const object = findSession(namespace, sessionId);
  return object === undefined ? refusals.unknownSession() : await askObject(object, request);
}

function withoutSlash(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}
