import { SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";
import { steadyNow } from "../steady-clock.ts";
import type { Settings } from "../options.ts";
import { acceptsAll } from "../protocol/accept.ts";
import { readsRetry } from "../protocol/clients.ts";
import { parseEventId } from "../protocol/event-id.ts";
import { echoableId, parseBody } from "../protocol/json-rpc.ts";
import * as refusals from "../protocol/refusals.ts";
import { eventStreamHeaders, openingFrame } from "../protocol/sse-frame.ts";
import { ownerOf } from "../link/caller.ts";
import { listenStream, sseStream } from "../link/link.ts";
import { newSessionId, secretIn } from "../protocol/session-id.ts";
import { type AttachTarget, clientsPosition, SessionSource } from "./attach.ts";
import { admitBody } from "./gate.ts";
import { askObject, findSession, toObject } from "./objects.ts";
import { refuseOpening } from "./opening.ts";
import { answerStateless, isStateless, type StatelessServer } from "./stateless.ts";
import { mayBecomeTask } from "../tasks/extension.ts";
import { holdMessage } from "../stream/held-messages.ts";
import { streamIfLate } from "../stream/late-answer.ts";
import { passOn } from "../stream/pass-on.ts";
import { StreamRelay } from "./relay.ts";
import { callInObject, withTaskName } from "./tasks.ts";

/** Streamable HTTP with sessions (revisions 2025-03-26 to 2025-11-25, Transports). */
export interface StreamableOptions {
  namespace: DurableObjectNamespace;
  settings: Settings;
  stateless: StatelessServer;
}

/** `POST`: a message of a session, the `initialize` that opens one, or a request of the stateless revision. */
export async function post(request: Request, options: StreamableOptions): Promise<Response> {
  if (!acceptsAll(["application/json", "text/event-stream"], request.headers.get("accept"))) {
    return refusals.notAcceptable("application/json, text/event-stream");
  }
  const sessionId = request.headers.get("mcp-session-id");
  // Without a session only the message tells whom it is for.
  const admitted = await admitBody(request, options.settings, { readUpTo: sessionId === null ? Infinity : 0 });
  if (!admitted.ok) return admitted.refusal;
  if (sessionId === null) return await postHeld(request, admitted.text ?? "", options);
  const refusal = refuseVersion(request);
  if (refusal !== undefined) return refusal;
  const session = findSession(options.namespace, sessionId);
  if (session === undefined) return refusals.unknownSession();
  return await askObject(session, toObject(request, { verb: "mcp-message" }, admitted.text));
}

/** A message without a session takes its room here until it is answered. */
async function postHeld(request: Request, text: string, options: StreamableOptions): Promise<Response> {
  const release = holdMessage(text);
  if (release === undefined) return refusals.tooMuchAtOnce();
  const { keepAliveMs } = options.settings;
  try {
    return passOn(await postWithoutSession(request, text, options), { keepAliveMs, onOver: release });
  } catch (error) {
    release();
    throw error;
  }
}

async function postWithoutSession(request: Request, text: string, options: StreamableOptions): Promise<Response> {
  const parsed = parseBody(text);
  if (!parsed.ok) return refusals.noMessage(parsed);
  const body = parsed.batch ? parsed.messages : parsed.messages[0];
  if (await isStateless(request, body)) {
    const answer = mayBecomeTask(body)
      ? callInObject(request, { text, body }, options.namespace)
      : answerStateless(withTaskName(request, body), body, options.stateless);
    // A stream that has begun says what went wrong as well.
    const told = answer.catch((error: unknown) => refusals.incident(error, echoableId(body)));
    return await streamIfLate(told);
  }
  const opens = parsed.requests.some(({ method }) => method === "initialize");
  if (!opens) return refusals.missingSessionId({ where: "header" });
  const refusal = await refuseOpening(request, options.settings);
  if (refusal !== undefined) return refusal;
  const objectId = options.namespace.newUniqueId();
  const secret = secretIn(newSessionId(objectId.toString()));
  const ask = { verb: "mcp-initialize", secret } as const;
  return await askObject(options.namespace.get(objectId), toObject(request, ask, text));
}

/** `GET`: the stream for what the server says unasked, or the rest of a stream that was cut. */
export async function listen(request: Request, { namespace, settings }: StreamableOptions): Promise<Response> {
  if (!acceptsAll(["text/event-stream"], request.headers.get("accept"))) {
    return refusals.notAcceptable("text/event-stream");
  }
  const sessionId = sessionIdOf(request);
  if (sessionId instanceof Response) return sessionId;
  const last = parseEventId(request.headers.get("last-event-id") ?? "");
  if (last?.stream === sseStream) return refusals.wrongLane();
  if (last !== undefined && last.sessionId !== sessionId) return refusals.otherSessionsEvent();
  const headers = { "mcp-session-id": sessionId };
  if (request.method === "HEAD") {
    // Whether a session of ours still lives, only its object knows: it is not woken for that.
    if (findSession(namespace, sessionId) === undefined) return refusals.unknownSession();
    return new Response(null, { headers: { ...eventStreamHeaders, ...headers } });
  }
  const stream = last?.stream ?? listenStream;
  const source = new SessionSource({ namespace, stream, openedAtMs: steadyNow(), owner: ownerOf(request) });
  const target: AttachTarget = { sessionId, session: "stored", position: clientsPosition(last) };
  const isRetryRead = readsRetry(request.headers);
  const preamble = (): string => openingFrame(isRetryRead ? settings.retryMs : undefined);
  return await StreamRelay.open({ source, target, settings, readsRetry: isRetryRead }, { preamble, headers });
}

/** `DELETE`: the session ends (Session Management). */
export async function end(request: Request, { namespace }: StreamableOptions): Promise<Response> {
  const sessionId = sessionIdOf(request);
  if (sessionId instanceof Response) return sessionId;
  const session = findSession(namespace, sessionId);
  if (session === undefined) return refusals.unknownSession();
  return await askObject(session, toObject(request, { verb: "mcp-end" }));
}

/** Of a request that must have one; else the refusal. */
function sessionIdOf(request: Request): string | Response {
  const sessionId = request.headers.get("mcp-session-id");
  if (sessionId === null) return refusals.missingSessionId({ where: "header" });
  return refuseVersion(request) ?? sessionId;
}

/**
 * The header that comes with every request but `initialize`, which negotiates (revision 2025-11-25, Protocol Version
 * Header). Checked here because only some of them wake a server that could say what it speaks.
 */
export function refuseVersion(request: Request): Response | undefined {
  const version = request.headers.get("mcp-protocol-version");
  if (version === null || SUPPORTED_PROTOCOL_VERSIONS.includes(version)) return undefined;
  return refusals.protocolVersionNotInSession(version, SUPPORTED_PROTOCOL_VERSIONS);
}
