/** What its sockets are tagged with, each of a client that listens somewhere. */
const tag = "changes";

/** Whether `socket` is a line to who listens for changes, and of no session. */
export function isLine(ctx: DurableObjectState, socket: WebSocket): boolean {
  return ctx.getTags(socket).includes(tag);
}

/** Whether this is the object through which isolates tell each other of changes: it has no session. */
export function isOfChanges(ctx: DurableObjectState): boolean {
  return ctx.getWebSockets(tag).length > 0;
}

/**
 * In the one object through which all isolates hear of changes of lists and resources: what one tells, all who listen hear.
 *
 * Storage: none. It hibernates while nobody tells anything.
 */
export function listenForChanges(ctx: DurableObjectState): Response {
  const { 0: listener, 1: own } = new WebSocketPair();
  ctx.acceptWebSocket(own, [tag]);
  return new Response(null, { status: 101, webSocket: listener });
}

/** Passes on what the body of `request` tells. */
export async function tellChanges(ctx: DurableObjectState, request: Request): Promise<Response> {
  const changes = await request.text();
  for (const socket of ctx.getWebSockets(tag)) {
    try {
      socket.send(changes);
    } catch {
      // It has left in this moment.
    }
  }
  return new Response(null, { status: 204 });
}
