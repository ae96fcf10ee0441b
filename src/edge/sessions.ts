import * as refusals from "../protocol/refusals.ts";
import { type Verb, verbHeader } from "../session/link.ts";

/** The object of an id that a client named; `undefined` if we never made that id. Touches no object. */
export function findSession(namespace: DurableObjectNamespace, sessionId: string): DurableObjectStub | undefined {
  try {
    return namespace.get(namespace.idFromString(sessionId));
  } catch {
    // Ids carry a signature of their namespace: idFromString throws for any other.
    return undefined;
  }
}

/** The client's request, as its object gets it: the headers are the client's, the purpose is ours. */
export function toObject(
  request: Request,
  verb: Verb,
  {
    headers: ours = {},
    body,
  }: { headers?: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> | ReadableStream } = {},
): Request {
  const headers = new Headers(request.headers);
  headers.set(verbHeader, verb);
  for (const [name, value] of Object.entries(ours)) headers.set(name, value);
  return new Request(request.url, body === undefined ? { headers } : { method: "POST", headers, body });
}

/** Asks a session's object. If it goes away under the request, the client is told at once; its session lives. */
export async function askObject(session: DurableObjectStub, request: Request): Promise<Response> {
  try {
    return await session.fetch(request);
  } catch (error) {
    console.warn(JSON.stringify({ event: "interrupted", error: String(error) }));
    return refusals.interrupted(null);
  }
}
