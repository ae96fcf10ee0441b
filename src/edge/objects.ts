import * as refusals from "../protocol/refusals.ts";
import * as link from "../link/link.ts";
import { objectIdIn } from "../protocol/session-id.ts";

/** The object of an id that a client named; `undefined` if we never made that id. Touches no object. */
export function findSession(namespace: DurableObjectNamespace, sessionId: string): DurableObjectStub | undefined {
  const objectId = objectIdIn(sessionId);
  if (objectId === undefined) return undefined;
  try {
    return namespace.get(namespace.idFromString(objectId));
  } catch {
    // Ids carry a signature of their namespace: idFromString throws for any other.
    return undefined;
  }
}

/**
 * The client's request, as its object gets it: the headers are the client's, the purpose is ours. A POST that says by
 * itself what it is for is passed on as it came: to copy it would take longer than to run a small tool. `text` is its
 * body, if that has been read.
 */
export function toObject(request: Request, ask: link.ClientAsk, text?: string): Request {
  const caller = link.callerOf(request);
  const isPlain = request.method === "POST" && !request.headers.has("upgrade");
  const isOriginal = isPlain && text === undefined && caller === undefined;
  if (isOriginal && link.clientsVerb(request.headers) === ask.verb) return request;
  const headers = new Headers(request.headers);
  // With it, the runtime would open a WebSocket and pass no body on.
  headers.delete("upgrade");
  for (const [name, value] of Object.entries(link.askHeaders(ask))) headers.set(name, value);
  if (caller !== undefined) headers.set(link.callerHeader, link.packCaller(caller));
  const content = text ?? request.body;
  const init = { headers, cf: request.cf ?? {} };
  return new Request(request.url, content === null ? init : { ...init, method: "POST", body: content });
}

/** Asks a session's object. If it goes away under the request, the client is told at once; its session lives. */
export async function askObject(session: DurableObjectStub, request: Request): Promise<Response> {
  try {
    return await session.fetch(request);
  } catch (error) {
    if (String(error).includes(link.overReason)) return refusals.unknownSession();
    console.warn(JSON.stringify({ event: "interrupted", error: String(error) }));
    return refusals.interrupted(null);
  }
}
