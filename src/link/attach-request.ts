import { type Holder, holderHeaders, holderIn } from "./caller.ts";
import { formatPostKey, parsePostKey, type PostKey } from "./post.ts";
import { sseStream } from "./stream-name.ts";
import { versionHeaders, versionOf } from "./version.ts";

/**
 * Whether attaching may create the session.
 * - `new`: yes. Its id was made for this very stream, and nobody has attached to it before: nothing is stored.
 * - `unstored`: yes. Its id was made for this very stream, and nothing was ever sent on it: it need not be stored.
 * - `stored`: no.
 */
type SessionState = "new" | "unstored" | "stored";

/** How far the client of a stream is. */
export interface Position {
  /** The last sequence that it has; if the relay says so, that was written for it, which it need not have got. */
  after: number;
  saidBy: "client" | "relay";
}

/** A relay brings the client's end of a stream. */
export interface AttachRequest {
  /** Which stream of the session the WebSocket carries. */
  stream: string;
  session: SessionState;
  /** `undefined`: nobody says. Then the client is sent whatever it may not have got. */
  position: Position | undefined;
  /**
   * When the client opened the stream, milliseconds since 1970. A relay that attaches again after a crash of the object must
   * not push out a stream that its client has opened since.
   */
  openedAtMs: number;
  /** The key of the last POST that this relay has sent, if it carries any. */
  lastPost: PostKey | undefined;
  /** Whose stream it is: the session is that one's, or does not exist. */
  holder: Holder;
  /** The relay's, see `version.ts`. */
  version: number;
}

const [streamHeader, openedHeader] = ["mcp-edge-stream", "mcp-edge-opened"];
const [kindHeader, afterHeader, lastPostHeader] = ["mcp-edge-attach", "mcp-edge-after", "mcp-edge-post"];

/** Which end of which stream a relay speaks of, and for whom, whatever it asks for. */
export type StreamEnd = Pick<AttachRequest, "stream" | "openedAtMs" | "holder">;

export function streamEndHeaders({ stream, openedAtMs, holder }: StreamEnd): Record<string, string> {
  return { ...holderHeaders(holder), [streamHeader]: stream, [openedHeader]: String(openedAtMs) };
}

export function parseStreamEnd(headers: Headers): StreamEnd {
  return {
    stream: headers.get(streamHeader) ?? sseStream,
    openedAtMs: Number(headers.get(openedHeader)),
    holder: holderIn(headers),
  };
}

export function attachHeaders(request: Omit<AttachRequest, "version">): Record<string, string> {
  const { session, position, lastPost } = request;
  return {
    ...streamEndHeaders(request),
    ...versionHeaders,
    [kindHeader]: kindOf(session, position),
    ...(position && { [afterHeader]: String(position.after) }),
    ...(lastPost && { [lastPostHeader]: formatPostKey(lastPost) }),
  };
}

/** `undefined` for a kind of attaching that this version does not know. */
export function parseAttach(headers: Headers): AttachRequest | undefined {
  const kind = kinds.get(headers.get(kindHeader) ?? "");
  if (kind === undefined) return undefined;
  const { session, saidBy } = kind;
  const after = Number(headers.get(afterHeader) ?? Number.NaN);
  const lastPost = headers.get(lastPostHeader);
  return {
    ...parseStreamEnd(headers),
    session,
    position: Number.isSafeInteger(after) ? { after, saidBy } : undefined,
    lastPost: lastPost === null ? undefined : parsePostKey(lastPost),
    version: versionOf(headers),
  };
}

/** The words of the two facts: whether attaching may create the session, and who says how far its client is. */
const kinds = new Map<string, { session: SessionState; saidBy: Position["saidBy"] }>([
  ["new", { session: "new", saidBy: "relay" }],
  ["fresh", { session: "unstored", saidBy: "relay" }],
  ["resumed", { session: "stored", saidBy: "client" }],
  ["again", { session: "stored", saidBy: "relay" }],
]);

function kindOf(session: SessionState, position: Position | undefined): string {
  if (session !== "stored") return session === "new" ? "new" : "fresh";
  return position?.saidBy === "relay" ? "again" : "resumed";
}
