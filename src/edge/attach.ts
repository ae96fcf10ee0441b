import { join } from "../session/joined.ts";
import * as link from "../session/link.ts";
import { findSession } from "./sessions.ts";
import type { Uplink } from "./uplink.ts";
import type { AttachTarget } from "./stream-relay.ts";
import * as refusals from "../protocol/refusals.ts";

/** A client's stream, for as long as it lives. Nothing of its GET is kept: thousands of them lie here and are quiet. */
export interface StreamSource {
  namespace: DurableObjectNamespace;
  /** Which stream of the session it is. */
  stream: string;
  /** When the GET arrived, milliseconds since 1970. */
  openedAtMs: number;
  /** How POSTs of the session go to its object, if this stream carries them. */
  uplink?: Uplink;
}

/** Gives an object that crashed what was written for its client lately. */
export async function returnFrames(
  { namespace, stream, openedAtMs }: StreamSource,
  sessionId: string,
  packed: Uint8Array[],
): Promise<void> {
  const headers = {
    [link.verbHeader]: "return" satisfies link.Verb,
    [link.streamHeader]: stream,
    [link.openedHeader]: String(openedAtMs),
  };
  await findSession(namespace, sessionId)?.fetch(link.url, { method: "POST", headers, body: join(packed) });
}

/** Opens the WebSocket that carries `stream` from a session's object to a relay. */
export async function attachStream(
  { namespace, stream, openedAtMs, uplink }: StreamSource,
  { sessionId, kind, after }: AttachTarget,
): Promise<WebSocket | Response> {
  if (findSession(namespace, sessionId) === undefined) return refusals.unknownSession();
  const headers: Record<string, string> = {
    upgrade: "websocket",
    [link.verbHeader]: "attach" satisfies link.Verb,
    [link.streamHeader]: stream,
    [link.attachHeader]: kind,
    [link.openedHeader]: String(openedAtMs),
  };
  if (after !== undefined) headers[link.afterHeader] = String(after);
  if (uplink !== undefined) headers[link.postHeader] = String(uplink.lastKey);
  const attach = (): Promise<Response> => namespace.get(namespace.idFromString(sessionId)).fetch(link.url, { headers });
  // The object may go away under the request. Then there is a new one, which the old one's word does not bind.
  const response = await attach().catch(attach);
  return response.webSocket ?? response;
}
