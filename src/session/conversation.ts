import { AsyncLocalStorage } from "node:async_hooks";
import type { ClientCapabilities, JSONRPCMessage, MessageExtraInfo, RequestId } from "@modelcontextprotocol/server";
import { formatEventId } from "../protocol/event-id.ts";
import { isRequest, isResponse, parseBody } from "../protocol/json-rpc.ts";
import { messageFrame } from "../protocol/sse-frame.ts";
import type { Settings } from "../options.ts";
import type { AnyServer } from "../server-context.ts";
import { type Call, type CallOutcome, Calls } from "./calls.ts";
import { clientCapabilitiesOf, type Handshake, type Lane, rememberedAfter, requestsToRepeat } from "./handshake.ts";
import { Journal, type JournalEntry } from "./journal.ts";
import { claimPrefix, listenStream, packFrame, relayCopyBytes, sseStream, unpackFrame } from "./link.ts";
import { type KeyValueStore, type MessageKind, Outbox, type SentMessage } from "./outbox.ts";
import { interruptedAnswer, mayRunAgain } from "./rerun.ts";
import type { PostStream } from "./post-stream.ts";
import { maxAttachedBytes, type SendOutcome, type Streams } from "./streams.ts";
import { SessionTransport } from "./transport.ts";

/** How long after the last message of a burst it is kept somewhere safe, milliseconds. */
const saveAfterMs = 500;
/** How long a burst may last before that is done all the same, milliseconds. The relay keeps a copy for longer. */
const longestBurstMs = 5_000;
/** How much may be unsaved: what the relay's copy is sure to hold, bytes. */
const maxUnsavedBytes = relayCopyBytes / 2;
/** How often running calls are looked after, milliseconds. Nothing ticks while none is. */
const tickMs = 1_000;
/** A closed connection is noticed at the second keep-alive after it; this is the margin on top, milliseconds. */
const noticeMarginMs = 5_000;

/** A JSON-RPC id that starts so belongs to the ping that asks whether a replay arrived. */
const receiptPrefix = "receipt:";

export interface ConversationOptions {
  sessionId: string;
  store: KeyValueStore;
  streams: Streams;
  settings: Settings;
  handshake: Handshake | undefined;
  /** Builds the server. `request` is the one that made it necessary. */
  createServer: (request: Request) => AnyServer | Promise<AnyServer>;
  /** Writes the handshake. It must not hold back the answer to `initialize`. */
  storeHandshake: (handshake: Handshake) => void;
  /** A request was written down: somebody must see to it that it is answered if this object goes away. */
  onJournaled: () => void;
  /** The client on a fresh stream is this session's: `freshId` names the object that holds the stream. */
  onClaim: (freshId: string) => void;
}

/** A request of the server that waits for its client. */
interface Awaited {
  stream: string;
  sequence: number;
  deadlineMs: number;
}

/**
 * One session's client and server talking: every message of either passes here.
 *
 * Storage: the outbox, the journal and the handshake. Lifetime: the object's time in memory; a later one is rebuilt from
 * storage by {@linkcode ready}. Loses: nothing that a client was told is accepted.
 */
export class Conversation {
  readonly calls = new Calls();
  readonly outbox: Outbox;
  readonly transport: SessionTransport;

  readonly #options: ConversationOptions;
  readonly #journal: Journal;
  /** How far the client of each stream said it was, when it came back. */
  readonly #resumedAfter = new Map<string, number>();
  readonly #awaited = new Map<RequestId, Awaited>();
  /** Which call a server's request was made in: the SDK's `elicitInput` and `requestSampling` do not say. */
  readonly #callContext = new AsyncLocalStorage<RequestId>();
  #handshake: Handshake | undefined;
  #server: AnyServer | undefined;
  #ready: Promise<void> | undefined;
  #lastSentAtMs = 0;
  #saveTimer: ReturnType<typeof setTimeout> | undefined;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #ticks = 0;

  constructor(options: ConversationOptions) {
    const { settings, sessionId, store } = options;
    this.#options = options;
    this.#handshake = options.handshake;
    this.#journal = new Journal(store);
    this.outbox = new Outbox(store, {
      maxOutboxBytes: settings.maxOutboxBytes,
      maxOutboxMessages: settings.maxOutboxMessages,
      retainMs: settings.reconnectGraceMs,
    });
    this.outbox.takeBack(options.streams.takeKept());
    this.transport = new SessionTransport({
      sessionId,
      incarnation: crypto.randomUUID().slice(0, 8),
      target: {
        clientCapabilities: (): ClientCapabilities | undefined => clientCapabilitiesOf(this.#handshake),
        emit: (message, relatedRequestId) => this.#emit(message, relatedRequestId),
      },
    });
  }

  /** What is stored of the session; `undefined` before anything is. */
  get handshake(): Handshake | undefined {
    return this.#handshake;
  }

  /** Answers what an earlier run of the object left unanswered. Undefined if there is nothing to do. */
  recover(): Promise<void> | undefined {
    if (this.#ready !== undefined) return this.#ready;
    const [first] = this.#journal.interrupted();
    return first === undefined ? undefined : this.ready(requestOf(first.entry));
  }

  /**
   * Builds the server if there is none: connects it, tells it what the client told an earlier one, and answers what that
   * one left unanswered. Rejects with what `createServer` threw; the next request tries again.
   */
  ready(request: Request): Promise<void> | undefined {
    if (this.#server !== undefined) return undefined;
    this.#ready ??= this.#build(request).catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  /** Starts the session's record, if it has none, so that it outlives this object's memory. */
  ensureStored(lane: Lane): void {
    if (this.#handshake === undefined) this.#remember({ lane, subscriptions: [] });
  }

  /** Hands the messages of one POST to the server and returns its requests as running calls. */
  deliver(
    messages: JSONRPCMessage[],
    { stream, lane, extra }: { stream: string; lane: Lane; extra: MessageExtraInfo },
  ): Call[] {
    const nowMs = Date.now();
    const calls = messages.filter(isRequest).map((request) => this.calls.open(request, stream, nowMs));
    for (const message of messages) this.#receive(message, lane, extra);
    return calls;
  }

  /** Writes down those of `calls` that are still running: from now on they are answered, whatever happens. */
  journalRunning(calls: Call[], request: Request, lane: Lane): void {
    for (const call of calls) {
      if (this.calls.get(call.request.id) !== call || call.journalKey !== undefined) continue;
      this.ensureStored(lane);
      const entry = { request: call.request, stream: call.stream, url: request.url, headers: [...request.headers] };
      call.journalKey = this.#journal.add(entry, this.outbox.nextSequence(Date.now()));
      this.#startTicking();
      this.#options.onJournaled();
    }
  }

  /**
   * Sends, on a stream that just came back, what its client has not got: all after `after`, or without that all that is
   * in doubt since nobody was there (`lostAtMs`; `undefined` if nobody noticed a loss).
   */
  replay(stream: string, from: { after: number | undefined; lostAtMs: number | undefined }): void {
    const { after, lostAtMs } = from;
    const nowMs = Date.now();
    const noticeMs = 2 * this.#options.settings.keepAliveMs + noticeMarginMs;
    const messages =
      after === undefined
        ? this.outbox.inDoubt(stream, lostAtMs === undefined ? 0 : lostAtMs - noticeMs)
        : this.outbox.after(stream, after);
    for (const message of messages) this.#handOver(message, nowMs);
    if (after === undefined && messages.length > 0) this.#askForReceipt(stream);
  }

  /** The client itself says that it has all of `stream` up to `sequence`. */
  acknowledge(stream: string, sequence: number): void {
    this.#resumedAfter.set(stream, sequence);
    this.outbox.acknowledge(stream, sequence);
  }

  /**
   * Takes back what a relay wrote for its client just before this object crashed, and nobody else has. Only answers:
   * whoever waited for the rest is gone with the crash.
   */
  takeBack(stream: string, { frames, openedAtMs }: { frames: ArrayBuffer[]; openedAtMs: number }): void {
    const isSuperseded = this.#options.streams.hasNewer(stream, openedAtMs);
    for (const packed of frames) {
      const { sequence, frame } = unpackFrame(packed);
      const json = jsonOf(new TextDecoder().decode(frame));
      if (json === undefined || this.outbox.has(sequence) || sequence <= (this.#resumedAfter.get(stream) ?? 0)) continue;
      if (isSuperseded) {
        // Its client has another stream since, which must not see an older number after a newer one.
        this.#send(stream, "response", json);
        continue;
      }
      const message = { sequence, stream, kind: "response" as const, packed: new Uint8Array(packed) };
      this.outbox.takeBack([{ ...message, handedOverAtMs: Date.now() }]);
    }
    this.save();
  }

  /** Goes on sending what waited for the client of `stream` to read. */
  continueSending(stream: string): void {
    const nowMs = Date.now();
    for (const message of this.outbox.waiting(stream)) if (this.#handOver(message, nowMs) !== "sent") return;
    this.endIfAnswered(stream);
  }

  /** A POST's stream that has carried its last answer is over. */
  endIfAnswered(stream: string): void {
    if (stream === sseStream || stream === listenStream || this.calls.isStreamBusy(stream)) return;
    const isAttached = this.#options.streams.isAttached(stream);
    if (!isAttached || this.outbox.waiting(stream).length === 0) this.#options.streams.end(stream);
  }

  #handOver(message: SentMessage, nowMs: number): SendOutcome {
    const outcome = this.#options.streams.send(message.stream, message.packed);
    message.handedOverAtMs = outcome === "sent" ? nowMs : undefined;
    return outcome;
  }

  /** A ping behind a replay: once it is answered all before it has arrived, and the next cut repeats none of it. */
  #askForReceipt(stream: string): void {
    const id = `${receiptPrefix}${this.outbox.nextSequence(Date.now())}`;
    const sequence = this.#send(stream, "request", JSON.stringify({ jsonrpc: "2.0", id, method: "ping" }));
    this.#awaited.set(id, { stream, sequence, deadlineMs: Number.POSITIVE_INFINITY });
  }

  /** Makes the answer to a POST an SSE stream: something else comes first, or nothing for a while. */
  startEvents(post: PostStream): void {
    for (const held of post.startEvents()) this.#send(post.name, "response", held);
  }

  /** Writes what is in memory only: no stream may be left to send it on. */
  save(): void {
    clearTimeout(this.#saveTimer);
    this.#saveTimer = undefined;
    this.outbox.takeBack(this.#options.streams.takeKept());
    if (this.outbox.hasUnsaved) this.outbox.save();
  }

  /** Ends the session's server and its calls. */
  async end(): Promise<void> {
    clearTimeout(this.#saveTimer);
    clearInterval(this.#ticker);
    this.#handshake = undefined;
    for (const call of this.calls.all()) this.calls.close(call.request.id, "cancelled", Date.now());
    await this.#server?.close();
  }

  async #build(request: Request): Promise<void> {
    const server = await this.#options.createServer(request);
    await server.connect(this.transport as never);
    const handshake = this.#handshake;
    if (handshake?.initialize !== undefined) {
      await this.transport.ask({ method: "initialize", params: handshake.initialize });
      this.transport.receive({ jsonrpc: "2.0", method: "notifications/initialized" });
      for (const repeat of requestsToRepeat(handshake)) await this.transport.ask(repeat);
    }
    await this.#answerInterrupted();
    this.#server = server;
  }

  async #answerInterrupted(): Promise<void> {
    for (const { key, entry } of this.#journal.interrupted()) {
      const call = this.calls.open(entry.request, entry.stream, Date.now());
      call.journalKey = key;
      if (await mayRunAgain(entry.request, this.transport)) {
        this.#startTicking();
        const extra = messageExtra(requestOf(entry));
        this.#callContext.run(entry.request.id, () => this.transport.receive(entry.request, extra));
      } else {
        this.#answer(interruptedAnswer(entry.request.id), "interrupted");
      }
    }
  }

  #receive(message: JSONRPCMessage, lane: Lane, extra: MessageExtraInfo): void {
    if (isResponse(message)) {
      this.#receiveAnswer(message, extra);
      return;
    }
    const remembered = rememberedAfter(this.#handshake ?? { lane, subscriptions: [] }, message);
    if (remembered !== undefined) this.#remember(remembered);
    if (isRequest(message)) {
      this.#callContext.run(message.id, () => this.transport.receive(message, extra));
      return;
    }
    this.transport.receive(message, extra);
    if (message.method === "notifications/cancelled") {
      this.#endCall(message.params?.["requestId"] as RequestId, "cancelled");
    }
  }

  #receiveAnswer(message: JSONRPCMessage & { id?: RequestId | undefined }, extra: MessageExtraInfo): void {
    const { id } = message;
    if (id === undefined) return;
    if (typeof id === "string" && id.startsWith(claimPrefix)) {
      this.#options.onClaim(id.slice(claimPrefix.length));
      return;
    }
    const awaited = this.#awaited.get(id);
    if (awaited !== undefined) {
      this.#awaited.delete(id);
      this.outbox.acknowledge(awaited.stream, awaited.sequence);
    }
    this.transport.receive(message, extra);
  }

  #emit(message: JSONRPCMessage, relatedRequestId: RequestId | undefined): void {
    if (isResponse(message)) {
      this.#answer(message, "error" in message ? "error" : "ok");
      return;
    }
    const isServerRequest = isRequest(message);
    const callId = relatedRequestId ?? (isServerRequest ? this.#callContext.getStore() : undefined);
    const call = callId === undefined ? undefined : this.calls.get(callId);
    if (callId !== undefined && call === undefined && relatedRequestId !== undefined) {
      // Said about a call that has been answered: its stream is over, and the specification knows no other for it.
      return;
    }
    const stream = call?.stream ?? this.#commonStream();
    if (message.method === "notifications/progress") {
      this.calls.noteProgress(message.params?.["progressToken"], message.params?.["progress"], Date.now());
    }
    const post = this.#options.streams.post(stream);
    if (post !== undefined) this.startEvents(post);
    const sequence = this.#send(stream, isServerRequest ? "request" : "notification", JSON.stringify(message));
    if (!isServerRequest) return;
    const deadlineMs = Date.now() + this.#options.settings.maxWaitForClientMs;
    this.#awaited.set(message.id, { stream, sequence, deadlineMs });
  }

  #answer(message: JSONRPCMessage & { id?: RequestId | undefined }, outcome: CallOutcome): void {
    const call = message.id === undefined ? undefined : this.calls.get(message.id);
    // Without a call it was cancelled, abandoned or answered: nobody waits.
    if (call === undefined) return;
    const json = this.#responseJson(message, call);
    if (this.#options.streams.post(call.stream)?.holdForJson(json) !== true) {
      this.#send(call.stream, "response", json);
      // In the same turn as the journal's row goes: there is no moment in which neither has it.
      if (call.journalKey !== undefined) this.save();
    }
    this.#endCall(call.request.id, outcome);
  }

  /** What a tool returned, or an error in its place if no client could be sent it. */
  #responseJson(message: JSONRPCMessage, call: Call): string {
    const { maxMessageBytes } = this.#options.settings;
    let fault: string;
    try {
      const json = JSON.stringify(message);
      // A UTF-16 unit takes at most three bytes, so most need no exact count.
      if (json.length * 3 <= maxMessageBytes || byteLength(json) <= maxMessageBytes) return json;
      fault = `is larger than ${maxMessageBytes} bytes; ask for less at once`;
    } catch {
      fault = "cannot be written as JSON";
    }
    const error = { code: -32_603, message: `The result of ${call.request.method} ${fault}.` };
    return JSON.stringify({ jsonrpc: "2.0", id: call.request.id, error });
  }

  #endCall(id: RequestId, outcome: CallOutcome): void {
    const call = this.calls.close(id, outcome, Date.now());
    if (call === undefined) return;
    if (call.journalKey !== undefined) this.#journal.remove(call.journalKey);
    this.endIfAnswered(call.stream);
  }

  #send(stream: string, kind: MessageKind, json: string): number {
    const nowMs = Date.now();
    const sequence = this.outbox.nextSequence(nowMs);
    const id = formatEventId({ sessionId: this.#options.sessionId, stream, sequence });
    const packed = packFrame(sequence, messageFrame(id, json));
    const sent: SentMessage = { sequence, stream, kind, packed, handedOverAtMs: undefined };
    const outcome = this.#handOver(sent, nowMs);
    this.outbox.add(sent);
    this.#lastSentAtMs = nowMs;
    if (outcome === "gone" || this.outbox.unsavedBytes > maxUnsavedBytes) this.save();
    else this.#saveTimer ??= setTimeout(() => this.#saveBurst(nowMs), saveAfterMs);
    return sequence;
  }

  /** A burst that began at `startedAtMs` is kept safe once it is over: the object may hibernate next. */
  #saveBurst(startedAtMs: number): void {
    const nowMs = Date.now();
    const quietMs = nowMs - this.#lastSentAtMs;
    if (quietMs < saveAfterMs && nowMs - startedAtMs < longestBurstMs) {
      this.#saveTimer = setTimeout(() => this.#saveBurst(startedAtMs), saveAfterMs - quietMs);
      return;
    }
    this.#saveTimer = undefined;
    this.outbox.prune(nowMs);
    const few = this.outbox.entrust(maxAttachedBytes);
    if (few === undefined || !this.#options.streams.keep(few)) this.save();
  }

  #remember(handshake: Handshake): void {
    this.#handshake = handshake;
    this.#options.storeHandshake(handshake);
  }

  #commonStream(): string {
    return this.#handshake?.lane === "mcp" ? listenStream : sseStream;
  }

  #startTicking(): void {
    const { progressEveryMs, reconnectGraceMs, maxWaitForClientMs } = this.#options.settings;
    const everyMs = Math.min(tickMs, progressEveryMs, reconnectGraceMs, maxWaitForClientMs);
    this.#ticker ??= setInterval(() => this.#tick(everyMs), everyMs);
  }

  /** While calls run: keeps the object awake, their clients informed, and every wait bounded. */
  #tick(everyMs: number): void {
    if (this.calls.size === 0) {
      clearInterval(this.#ticker);
      this.#ticker = undefined;
      return;
    }
    const nowMs = Date.now();
    const { settings, streams } = this.#options;
    for (const { call, params } of this.calls.takeDueProgress(nowMs, settings.progressEveryMs)) {
      this.#emit({ jsonrpc: "2.0", method: "notifications/progress", params }, call.request.id);
    }
    this.#refuseOverdue(nowMs);
    this.#abortAbandoned(nowMs);
    this.#ticks += 1;
    if ((this.#ticks * everyMs) % settings.keepAliveMs < everyMs) streams.keepPostsAlive();
  }

  #refuseOverdue(nowMs: number): void {
    for (const [id, awaited] of this.#awaited) {
      if (awaited.deadlineMs > nowMs) continue;
      this.#awaited.delete(id);
      this.transport.refuse(id, `The client did not answer within ${this.#options.settings.maxWaitForClientMs} ms.`);
    }
  }

  #abortAbandoned(nowMs: number): void {
    for (const { request, stream } of this.calls.all()) {
      const lostAtMs = this.#options.streams.lostAtMs(stream);
      if (lostAtMs === undefined || nowMs - lostAtMs < this.#options.settings.reconnectGraceMs) continue;
      const params = { requestId: request.id, reason: "The client is gone" };
      this.transport.receive({ jsonrpc: "2.0", method: "notifications/cancelled", params });
      this.#endCall(request.id, "abandoned");
    }
  }
}

/** The HTTP request that brought a journaled one. */
function requestOf({ url, headers }: JournalEntry): Request {
  return new Request(url, { headers });
}

/** The JSON of a frame that carries an answer; `undefined` for any other. */
function jsonOf(frame: string): string | undefined {
  const json = /^data: (.+)$/m.exec(frame)?.[1];
  const parsed = json === undefined ? undefined : parseBody(json);
  const [message] = parsed?.ok === true ? parsed.messages : [];
  return message !== undefined && isResponse(message) ? json : undefined;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

/** What the SDK gives to a handler about the HTTP request: `request` is v2's name for it, `requestInfo` v1's. */
export function messageExtra(request: Request, more: MessageExtraInfo = {}): MessageExtraInfo {
  return {
    ...more,
    request,
    get requestInfo() {
      return { headers: Object.fromEntries(request.headers), url: new URL(request.url) };
    },
  } as MessageExtraInfo;
}
