import * as link from "../session/link.ts";
import { findSession, toObject } from "./sessions.ts";
import type { AttachTarget } from "./stream-relay.ts";
import * as refusals from "../protocol/refusals.ts";

/** Opens the WebSocket that carries `stream` from a session's object to a relay. */
export async function attachStream(
  { request, namespace, stream }: { request: Request; namespace: DurableObjectNamespace; stream: string },
  { sessionId, kind, after }: AttachTarget,
): Promise<WebSocket | Response> {
  const session = findSession(namespace, sessionId);
  if (session === undefined) return refusals.unknownSession();
  const headers: Record<string, string> = {
    upgrade: "websocket",
    [link.streamHeader]: stream,
    [link.attachHeader]: kind,
  };
  if (after !== undefined) headers[link.afterHeader] = String(after);
  const response = await session.fetch(toObject(request, "attach", { headers }));
  return response.webSocket ?? response;
}
