import type { RequestId } from "@modelcontextprotocol/server";
import { sealed } from "../protocol/sealed-request.ts";
import { asItCame, callerHeader, callerOf, packCaller } from "./caller.ts";

/** What the Worker and a session's object say to each other. Clients never see any of it. */

/** Where the requests go that no client sent: an object's name is in its stub, not in its URL. */
export const url = "https://session/";

/** What all headers below begin with. A client's own of such a name are lost at the entrance of the Worker. */
export const headerPrefix = "mcp-edge-";

/**
 * `attach`, and its answer: the version of what the two say to each other. A deploy replaces Workers and objects one by one,
 * and a Worker's streams live on for hours: for one release each understands the other of the version before, which says
 * nothing. Version 2: frames say whether to hold them, the object says what is kept, POSTs have an epoch. Version 3: ids of
 * sessions have a secret.
 */
export const versionHeader = "mcp-edge-link";
export const version = 3;

/** Of whoever sent `headers`. */
export function versionOf(headers: Headers): number {
  return Number(headers.get(versionHeader) ?? 1);
}

/** What a request to the object is for, see {@linkcode verbOf}. */
export const verbHeader = "mcp-edge-verb";

export type Verb = SessionVerb | "changes-listen" | "changes-tell" | "user-memory" | "task-call" | "task-question";

/** Those for a session. The others are for the object by which isolates tell each other of changes, and for those of users. */
export type SessionVerb =
  | "attach"
  | "release"
  | "return"
  | "sse-message"
  | "sse-again"
  | "mcp-message"
  | "mcp-initialize"
  | "mcp-end";

/** What a request to the object is for. A POST without the header is a client's message, of the lane that its headers tell. */
export function verbOf({ headers }: Request): Verb {
  // Only the Worker sets it, and only to one of these.
  const named = headers.get(verbHeader) as Verb | null;
  return named ?? (headers.has("mcp-session-id") ? "mcp-message" : "sse-message");
}

/** `attach`: which stream of the session the WebSocket carries. */
export const streamHeader = "mcp-edge-stream";

/** `attach`: the sequence after which to replay. Absent: whatever the client may not have got. */
export const afterHeader = "mcp-edge-after";

/**
 * `attach`: when the client opened the stream, milliseconds since 1970. A relay that attaches again after a crash of the
 * object must not push out a stream that its client has opened since.
 */
export const openedHeader = "mcp-edge-opened";

/** `attach`: how the stream came to this object. */
export const attachHeader = "mcp-edge-attach";

/**
 * `new`: the session's id was made for this very stream, and nobody has attached to it before: it has stored nothing.
 * `fresh`: likewise, but not for the first time: it need not exist yet. `resumed`: the session must exist, and the client has
 * said itself how far it is, if anybody has. `again`: likewise, but it is the relay that says how far it wrote, which its
 * client need not have got.
 */
export type AttachKind = "new" | "fresh" | "resumed" | "again";

/** `release`: the session that the relay is to attach to. */
export const releaseToHeader = "mcp-edge-release-to";

/**
 * A {@linkcode PostKey}. `attach`: that of the last POST that this relay has sent. `sse-again`: that of the POST that this is,
 * which may have come over the WebSocket.
 */
export const postHeader = "mcp-edge-post";

/** The stream of an HTTP+SSE session. */
export const sseStream = "sse";

/** The stream that GET opens in a Streamable HTTP session (revision 2025-11-25, Listening for Messages). */
export const listenStream = "listen";

/** Whether it is neither of these: the answer to one POST, which may continue on a GET. */
export function isPostStream(stream: string): boolean {
  return stream !== sseStream && stream !== listenStream;
}

/** The JSON-RPC id of a ping by which a reconnecting client names its old session: its stream is held by `freshId`. */
export function claimId(freshId: string, count: number): string {
  return `claim:${freshId}.${count}`;
}

/** The `freshId` of a {@linkcode claimId}; `undefined` for any other id. */
export function readClaimId(id: RequestId): string | undefined {
  // An answer to nothing may have an id of any length, so what reads it does so once.
  return typeof id === "string" ? /^claim:([0-9a-f]{64}(?:[0-9a-f]{32})?)\.[0-9]{1,3}$/.exec(id)?.[1] : undefined;
}

/**
 * How often a client is asked which session it was in, evenly within `claimMs`: the question is easily lost, its answer
 * too, if the object that is to hear it crashes in that moment.
 */
export const claimAsks = 5;

/** Why the object closed a relay's WebSocket. Any other close means that the object went away: attach again. */
export const closeCode = {
  /** The session is over, or this stream has nothing more to carry. */
  ended: 4000,
  /** A newer stream of the same session took its place. */
  superseded: 4001,
} as const;

/** Why an object whose session is over leaves: a request that comes in this moment fails with it. */
export const overReason = "the session of this object is over";

/**
 * What the relay sends, as text: the sequence up to which the client has read. It does so once in half of
 * `maxStreamBacklogBytes`, so for small talk never, and the object sends no more than all of them ahead of it.
 */
export function confirmation(sequence: number): string {
  return String(sequence);
}

/** What the relay sends when it has no room to hold an answer that it wrote: the object must write it down at once. */
export const noRoom = "no room";
/** The same from a Worker of version 1. */
export const noRoomOfV1 = "not kept";

/** What the object sends as text, as JSON: attach the client's stream to this session instead. */
export interface AttachCommand {
  attach: string;
}

/** Likewise: all answers up to this sequence are on disk, or forgotten, so the relay need not hold them any more. */
export interface KeptNotice {
  kept: number;
}

/**
 * Likewise: what became of the POST that came over this socket with this sequence. Without a refusal it was accepted. The
 * frame of an answer that was ready at once says so itself.
 */
export interface Receipt {
  receipt: number;
  refusal?: Refusal | undefined;
  /** An answer to the POST goes out on the stream, and goes first. */
  isAnswered: boolean;
}

/** A response that says no, on its way through a WebSocket. */
export interface Refusal {
  status: number;
  headers: [string, string][];
  body: string;
}

export async function packRefusal(response: Response): Promise<Refusal> {
  return { status: response.status, headers: [...response.headers], body: await response.text() };
}

export function unpackRefusal({ status, headers, body }: Refusal): Response {
  return new Response(body, { status, headers });
}

/** Tells a POST apart from all others that ever go to its session over a WebSocket. */
export interface PostKey {
  /** That of the client's stream which carries it: random, so that no two streams have the same. */
  epoch: string;
  /** Counts up from 1 in each stream, without a gap. 0: none yet. */
  sequence: number;
}

export function formatPostKey({ epoch, sequence }: PostKey): string {
  return `${epoch}.${sequence}`;
}

/** {@linkcode formatPostKey} wrote it, or a Worker of version 1, where the upper half of a number told the stream. */
export function parsePostKey(text: string): PostKey {
  const dot = text.indexOf(".");
  if (dot < 0) return { epoch: `v1 ${Math.floor(Number(text) / 2 ** 32)}`, sequence: Number(text) };
  return { epoch: text.slice(0, dot), sequence: Number(text.slice(dot + 1)) };
}

/** A client's POST that goes to its session over the WebSocket which the relay of its stream has open. */
export interface CarriedPost {
  key: PostKey;
  /** The URL it came to, and the headers it came with, a line each. */
  head: string;
  /** Its body. */
  text: string;
}

/** How a POST came, of which its answer's frame can say on that socket that it was accepted. */
export interface CarriedBy {
  socket: WebSocket;
  /** That of its {@linkcode PostKey}. */
  sequence: number;
}

/** A POST begins with the first of them; with the second from a Worker of version 1. */
const carriedMarks = ["carried ", "post "] as const;

/** The head of `request`, see {@linkcode CarriedPost}, and who sent it. */
export function headOf(request: Request): string {
  const { url: from, headers } = request;
  const caller = callerOf(request);
  let head = caller === undefined ? from : `${from}\n${callerHeader}:${packCaller(caller)}`;
  // eslint-disable-next-line unicorn/no-array-for-each -- it is no array, and its iterator costs three times as much
  headers.forEach((value, name) => {
    // The one header that differs from message to message, and says nothing that its reader cannot see.
    if (name !== "content-length") head += `\n${name}:${value}`;
  });
  return head;
}

/** The request that `head` is of, without its body. */
export function requestOf(head: string): Request {
  const [from = "", ...lines] = head.split("\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1)];
  });
  return sealed(asItCame(new Request(from, { method: "POST", headers })));
}

export function packPost({ key, head, text }: CarriedPost): string {
  return `${carriedMarks[0]}${formatPostKey(key)}\n${head}\n\n${text}`;
}

/** `undefined` if it is something else that the relay says. */
export function unpackPost(message: string): CarriedPost | undefined {
  const mark = carriedMarks.find((begin) => message.startsWith(begin));
  if (mark === undefined) return undefined;
  const headAt = message.indexOf("\n") + 1;
  const headEnd = message.indexOf("\n\n", headAt);
  return {
    key: parsePostKey(message.slice(mark.length, headAt - 1)),
    head: message.slice(headAt, headEnd),
    text: message.slice(headEnd + 2),
  };
}

/** The first byte of a frame. Of version 1 it is that of a sequence, which is never so large. */
const mark = { passed: 0x80, held: 0x81 } as const;
const headerBytes = 17;
const [sequenceAt, postAt] = [1, 9];
const headerRoom = "\0".repeat(headerBytes);
const encoder = new TextEncoder();

/**
 * An SSE frame as the object sends it to the relay: a byte that says whether to hold it until a {@linkcode KeptNotice}; its
 * sequence number and that of the POST that it answers, or 0, as float64s; then the bytes for the client. The relay learns
 * how far the client is without reading a byte of the frame. A POST's sequence means something only on the socket that
 * brought it, see {@linkcode addressed}.
 */
export function packFrame(sequence: number, frame: string, { post = 0, isHeld = false } = {}): Uint8Array {
  const packed = encoder.encode(headerRoom + frame);
  const header = new DataView(packed.buffer, packed.byteOffset);
  header.setUint8(0, isHeld ? mark.held : mark.passed);
  header.setFloat64(sequenceAt, sequence);
  header.setFloat64(postAt, post);
  return packed;
}

/**
 * The frame as it is to be sent now: whether the relay is to hold it, as the object's memory alone has it and a client waits
 * for it; and which POST it says to be accepted, 0 for none.
 */
export function addressed(packed: Uint8Array, { post, isHeld }: { post?: number; isHeld?: boolean }): Uint8Array {
  const header = new DataView(packed.buffer, packed.byteOffset);
  const wanted = isHeld === true ? mark.held : mark.passed;
  const first = isHeld === undefined ? header.getUint8(0) : wanted;
  const answered = post ?? header.getFloat64(postAt);
  if (header.getUint8(0) === first && header.getFloat64(postAt) === answered) return packed;
  // A copy: what was sent before may still be on its way.
  const copy = packed.slice();
  const changed = new DataView(copy.buffer);
  changed.setUint8(0, first);
  changed.setFloat64(postAt, answered);
  return copy;
}

/** A frame without its first byte: as version 1 sends it, and as it is stored and given back, whatever the version. */
export function plainFrame(packed: Uint8Array): Uint8Array {
  return isPlain(packed) ? packed : packed.subarray(1);
}

/** Of {@linkcode plainFrame}. */
export function packedAgain(plain: Uint8Array): Uint8Array {
  const packed = new Uint8Array(1 + plain.byteLength);
  packed[0] = mark.passed;
  packed.set(plain, 1);
  return packed;
}

function isPlain(packed: Uint8Array): boolean {
  return (packed[0] ?? 0) < mark.passed;
}

export interface UnpackedFrame {
  sequence: number;
  post: number;
  /** Of version 1 all are: it does not say. */
  isHeld: boolean;
  frame: Uint8Array<ArrayBuffer>;
}

/** Of either version. */
export function unpackFrame(packed: Uint8Array<ArrayBuffer>): UnpackedFrame {
  const plain = packed.subarray(isPlain(packed) ? 0 : 1);
  const header = new DataView(plain.buffer, plain.byteOffset);
  return {
    sequence: header.getFloat64(0),
    post: header.getFloat64(8),
    isHeld: packed[0] !== mark.passed,
    frame: plain.subarray(16),
  };
}

/** The bytes for the client, when the object writes to it directly. */
export function frameOf(packed: Uint8Array): Uint8Array {
  return packed.subarray(headerBytes);
}
