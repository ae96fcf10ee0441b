import * as link from "../../link/link.ts";
import { objectIdIn, secretIn } from "../../protocol/session-id.ts";

/**
 * A client claimed its session by answering the ping of the fresh session `freshId`, whose object holds its new stream: that is
 * asked to have the stream attached to `sessionId`. It does so for its own holder only. Whoever answered has read the
 * secret of the fresh session in the ping, and is the `owner` of this one.
 */
export async function takeStream(
  namespace: DurableObjectNamespace,
  { freshId, sessionId, owner }: { freshId: string; sessionId: string; owner: string },
): Promise<void> {
  try {
    const fresh = namespace.get(namespace.idFromString(objectIdIn(freshId) ?? ""));
    const holder = { secret: secretIn(freshId), owner };
    const headers = link.askHeaders({ verb: "release", sessionId, holder });
    await fresh.fetch(link.url, { headers });
  } catch (error) {
    // A made-up id, or an object that is gone: the client is given a new session when its time to claim is over.
    console.warn(JSON.stringify({ event: "claim-failed", error: String(error) }));
  }
}
