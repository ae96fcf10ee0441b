import type { JSONRPCMessage, JSONRPCRequest } from "@modelcontextprotocol/server";
import { subjectOf } from "../development.ts";
import type {
  AskedView,
  CallView,
  JournalView,
  MessageView,
  Resting,
  SessionView,
  StreamView,
} from "../link/inspection.ts";
import { frameOf, listenStream, sseStream } from "../link/link.ts";
import { isRequest, parseMessage } from "../protocol/json-rpc.ts";
import { shortHash } from "../protocol/hash.ts";
import { dataOf } from "../protocol/sse-frame.ts";
import { utf8Bytes } from "../protocol/utf8.ts";
import type { Clock } from "./clock.ts";
import type { Call, Calls } from "./calls/calls.ts";
import { Journal, type JournalEntry } from "./calls/journal.ts";
import type { SentMessage } from "./out/sent-message.ts";
import { unpackBurst } from "./out/shelf.ts";
import type { Streams } from "./out/streams.ts";
import type { Conversation } from "./server/conversation.ts";
import type { Rows } from "./stored/rows.ts";

/** What a session is made of. */
export interface Parts {
  clock: Clock;
  ctx: DurableObjectState;
  streams: Streams;
  conversation: Conversation;
  rows: Rows;
}

/** The parts of each session, which are its own: noted in development only. */
export const partsOf = new WeakMap<object, Parts>();

/** `null` if there is no session: never opened, or ended. Changes nothing of it. */
export async function inspectSession(session: object): Promise<SessionView | null> {
  const parts = partsOf.get(session);
  if (parts === undefined) return null;
  const { clock, ctx, conversation, rows, streams } = parts;
  const { handshake, holder, hasServer, calls } = conversation;
  if (holder === undefined || (handshake === undefined && !streams.hasSocket)) return null;
  const objectId = ctx.id.toString();
  const held = heldBy(parts);
  return {
    session: objectId,
    logged: await shortHash(objectId),
    lane: laneOf(conversation),
    nowMs: clock(),
    client: clientIn(handshake?.initialize),
    isStored: !rows.isEmpty,
    subscriptions: handshake?.subscriptions.length ?? 0,
    owner: holder.owner === "" ? null : loggedOwner(holder.owner),
    hasServer,
    streams: streamsOf(parts, held),
    messages: held.map((one) => viewOfMessage(one, streams)),
    calls: calls.all().map(viewOfCall),
    journal: new Journal(rows).interrupted().map((entry) => viewOfEntry(entry, calls)),
    asked: askedOf(conversation, held),
    memory: Array.from(rows.list<string>({ prefix: "memory/" }), ([row, json]) => {
      const key = row.slice("memory/".length);
      return { key, bytes: utf8Bytes(key + json) };
    }),
    alarmAtMs: rows.isEmpty ? null : await ctx.storage.getAlarm(),
  };
}

/** Before anything is known of it, a session has a stream of HTTP+SSE, or is none. */
function laneOf({ handshake }: Conversation): SessionView["lane"] {
  return handshake?.lane ?? "sse";
}

function clientIn(initialize: Record<string, unknown> | undefined): SessionView["client"] {
  if (initialize === undefined) return null;
  const { clientInfo, protocolVersion: revision, capabilities } = initialize;
  const { name, version } = Object(clientInfo);
  return { name, version, revision, capabilities: Object.keys(Object(capabilities)) };
}

/** The beginning of the hash in hexadecimal digits, as `shortHash` has it. */
function loggedOwner(owner: string): string {
  return Array.from(atob(owner).slice(0, 4), (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

/** Whose attachment it is, see `Streams`. */
interface Attached {
  openedAtMs: number;
  inDoubt?: { sequence: number }[];
}

/** A message of the outbox, read. */
interface Held {
  message: SentMessage;
  said: JSONRPCMessage | undefined;
  lies: Resting[];
}

function heldBy({ ctx, conversation, rows, streams }: Parts): Held[] {
  const { outbox } = conversation.delivery;
  const lies = new Map<number, Resting[]>();
  const names = new Set(streams.attached);
  const note = (sequence: number, place: Resting): void => {
    lies.set(sequence, [...(lies.get(sequence) ?? []), place]);
  };
  for (const [key, burst] of rows.list<ArrayBuffer>({ prefix: "outbox/" })) {
    for (const { sequence, stream } of unpackBurst(burst)) {
      note(sequence, key);
      names.add(stream);
    }
  }
  for (const socket of ctx.getWebSockets()) {
    for (const { sequence } of attachmentOf(socket).inDoubt ?? []) note(sequence, "socket");
  }
  for (const { stream } of [...(outbox.unsaved.within(Infinity) ?? []), ...conversation.calls.all()]) names.add(stream);
  return [...names]
    .flatMap((stream) => outbox.inDoubt(stream, 0))
    .sort((a, b) => a.sequence - b.sequence)
    .map((message) => {
      const inMemory: Resting[] = message.packed === undefined ? [] : ["memory"];
      const said = messageIn(outbox.packedOf(message));
      return { message, said, lies: [...inMemory, ...(lies.get(message.sequence) ?? [])] };
    });
}

function messageIn(packed: Uint8Array): JSONRPCMessage | undefined {
  return parseMessage(dataOf(new TextDecoder().decode(frameOf(packed))));
}

function viewOfMessage({ message, said, lies }: Held, streams: Streams): MessageView {
  const { sequence, stream, bytes, handedOverAtMs: atMs = null } = message;
  const undelivered = streams.presenceOf(stream).is === "here" ? "waiting" : "owed";
  return { sequence, stream, what: whatIs(said), bytes, is: atMs === null ? undelivered : "handed over", atMs, lies };
}

/** No more of a message than what it is. */
function whatIs(said: JSONRPCMessage | undefined): string {
  if (said === undefined) return "unreadable";
  return "method" in said ? said.method : `response to ${String(said.id)}`;
}

function streamsOf({ ctx, conversation, streams }: Parts, held: Held[]): StreamView[] {
  const names = new Set([...streams.attached, ...held.map(({ message }) => message.stream)]);
  for (const { stream } of conversation.calls.all()) names.add(stream);
  // A client of HTTP+SSE has always had one; of Streamable HTTP it is known while the object remembers.
  if (laneOf(conversation) === "sse") names.add(sseStream);
  else if (streams.presenceOf(listenStream).is !== "unknown") names.add(listenStream);
  return [...names].map((name): StreamView => {
    const socket = ctx.getWebSockets(name).find((one) => streams.isOn(name, one));
    if (socket !== undefined) return { name, is: "here", sinceMs: attachmentOf(socket).openedAtMs, by: "GET" };
    const presence = streams.presenceOf(name);
    if (presence.is === "here") return { name, is: "here", sinceMs: postedAtMs(name), by: "POST" };
    return { name, is: "away", sinceMs: presence.is === "away" ? presence.sinceMs : null };
  });
}

/** The stream of a POST is named after a sequence number, which is a clock's. */
function postedAtMs(name: string): number {
  return Math.floor(Number.parseInt(name.slice(1), 36) / 1_000);
}

function attachmentOf(socket: WebSocket): Attached {
  return socket.deserializeAttachment() as Attached;
}

function viewOfCall({ request, stream, startedAtMs, journalKey }: Call): CallView {
  return { id: request.id, what: callOf(request), stream, startedAtMs, isJournaled: journalKey !== undefined };
}

function viewOfEntry({ key, entry }: { key: string; entry: JournalEntry }, calls: Calls): JournalView {
  const { request, stream, reruns = 0 } = entry;
  const isRunning = calls.get(request.id)?.journalKey === key;
  return { key, id: request.id, what: callOf(request), stream, reruns, isRunning };
}

function callOf(request: JSONRPCRequest): string {
  const subject = subjectOf(request);
  return subject === request.method ? subject : `${request.method} ${subject}`;
}

/** What the client owes an answer to: the server's requests, and our own ping behind a replay. */
function askedOf(conversation: Conversation, held: Held[]): AskedView[] {
  const deadlines = new Map(conversation.serverRequests.open);
  const asked = held.flatMap(({ message: { stream }, said }): AskedView[] => {
    if (said === undefined || !isRequest(said)) return [];
    const deadlineMs = deadlines.get(said.id)?.deadlineMs ?? null;
    deadlines.delete(said.id);
    return [{ id: said.id, what: said.method, stream, deadlineMs }];
  });
  // Handed over long ago, and forgotten.
  for (const [id, { stream, deadlineMs }] of deadlines) asked.push({ id, what: "a request", stream, deadlineMs });
  return asked;
}
