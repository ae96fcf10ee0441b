import * as link from "../session/link.ts";
import { findSession, toObject } from "./sessions.ts";
import type { AttachTarget } from "./stream-relay.ts";
import * as refusals from "../protocol/refusals.ts";

/** The client's GET, which stands for its stream for as long as that lives. */
export interface StreamSource {
  request: Request;
  namespace: DurableObjectNamespace;
  /** Which stream of the session it is. */
  stream: string;
  /** When the GET arrived, milliseconds since 1970. */
  openedAtMs: number;
}

/** Gives an object that crashed what was written for its client lately. */
export async function returnFrames(
  { request, namespace, stream, openedAtMs }: StreamSource,
  sessionId: string,
  packed: ArrayBuffer[],
): Promise<void> {
  const headers = { [link.streamHeader]: stream, [link.openedHeader]: String(openedAtMs) };
  const body = link.joinFrames(packed);
  await findSession(namespace, sessionId)?.fetch(toObject(request, "return", { headers, body }));
}

/** Opens the WebSocket that carries `stream` from a session's object to a relay. */
export async function attachStream(
  { request, namespace, stream, openedAtMs }: StreamSource,
  { sessionId, kind, after }: AttachTarget,
): Promise<WebSocket | Response> {
  const session = findSession(namespace, sessionId);
  if (session === undefined) return refusals.unknownSession();
  const headers: Record<string, string> = {
    upgrade: "websocket",
    [link.streamHeader]: stream,
    [link.attachHeader]: kind,
    [link.openedHeader]: String(openedAtMs),
  };
  if (after !== undefined) headers[link.afterHeader] = String(after);
  const response = await session.fetch(toObject(request, "attach", { headers }));
  return response.webSocket ?? response;
}
