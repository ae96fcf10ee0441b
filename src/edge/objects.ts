import * as refusals from "../protocol/refusals.ts";
import { callerHeader, callerOf, packCaller, secretHeader } from "../link/caller.ts";
import { overReason, postHeader, type Verb, verbHeader, verbOf } from "../link/link.ts";
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
 * body, if that has been read; `key` that of a POST which may have come already; `secret` that of a session which it opens.
 */
export function toObject(
  request: Request,
  verb: Verb,
  { text, key, secret }: { text?: string | undefined; key?: string | undefined; secret?: string } = {},
): Request {
  const caller = callerOf(request);
  const isPlain = request.method === "POST" && !request.headers.has("upgrade");
  const isOriginal = isPlain && text === undefined && caller === undefined;
  if (isOriginal && verbOf(request) === verb) return request;
  const headers = new Headers(request.headers);
  // With it, the runtime would open a WebSocket and pass no body on.
  headers.delete("upgrade");
  headers.set(verbHeader, verb);
  if (key !== undefined) headers.set(postHeader, key);
  if (secret !== undefined) headers.set(secretHeader, secret);
  if (caller !== undefined) headers.set(callerHeader, packCaller(caller));
  const content = text ?? request.body;
  const init = { headers, cf: request.cf ?? {} };
  return new Request(request.url, content === null ? init : { ...init, method: "POST", body: content });
}

/** Asks a session's object. If it goes away under the request, the client is told at once; its session lives. */
export async function askObject(session: DurableObjectStub, request: Request): Promise<Response> {
  try {
    return await session.fetch(request);
  } catch (error) {
    if (String(error).includes(overReason)) return refusals.unknownSession();
    console.warn(JSON.stringify({ event: "interrupted", error: String(error) }));
    return refusals.interrupted(null);
  }
}
