import { DurableObject } from "cloudflare:workers";
import type { JSONRPCMessage, MessageExtraInfo } from "@modelcontextprotocol/server";
import type { Settings } from "../options.ts";
import { formatEventId } from "../protocol/event-id.ts";
import { isRequest, parseBody } from "../protocol/json-rpc.ts";
import * as refusals from "../protocol/refusals.ts";
import { primingFrame } from "../protocol/sse-frame.ts";
import type { ServerFactory } from "../server-context.ts";
import { Conversation, messageExtra } from "./conversation.ts";
import type { Handshake, Lane } from "./handshake.ts";
import { LateTimer } from "./late-timer.ts";
import * as link from "./link.ts";
import { storedMemory } from "./memory.ts";
import { PostStream } from "./post-stream.ts";
import { Streams } from "./streams.ts";

const handshakeKey = "handshake";
/** Present while the alarm watches over running calls. */
const watchKey = "watch";
/**
 * How often the alarm looks whether a running call lost its object, milliseconds. Nothing else might wake it: a stream
 * that hibernates stays open, and its client waits.
 */
const watchMs = 10_000;

/**
 * With a stream open, how far off the alarm is that deletes an abandoned session, milliseconds. The close of the stream
 * brings it nearer; this one only catches the session of a machine that died without closing anything.
 */
const guardMs = 24 * 60 * 60_000;

/** The first revision whose clients can read an event without data (SEP-1699). */
const firstRevisionWithPriming = "2025-11-25";

export interface SessionObjectOptions<Env> {
  createServer: ServerFactory<Env>;
  settings: Settings;
}

/**
 * One MCP session: its server, its streams, and all that a client must not lose.
 *
 * Storage: rows `handshake`, `outbox/…`, `call/…`, `memory/…`, `watch`, and one alarm. Nothing before the first message that must
 * last; nothing after the end.
 * Cost: with a stream open and nothing happening the object hibernates: no timer, no write, no duration.
 * Lifetime: from `initialize` to DELETE, or until it had neither stream nor traffic for `sessionIdleMs`. The object itself
 * is evicted and rebuilt many times within it, and no client notices.
 * Loses: notifications, when a client leaves more of them unread than its bounds allow.
 */
export class SessionObject<Env> extends DurableObject<Env> {
  readonly #settings: Settings;
  readonly #createServer: ServerFactory<Env>;
  readonly #streams: Streams;
  readonly #conversation: Conversation;
  #alarmAtMs: number | undefined;
  #isWatching: boolean;
  readonly #lateTimer: LateTimer;
  #ended = false;

  constructor(ctx: DurableObjectState, env: Env, { createServer, settings }: SessionObjectOptions<Env>) {
    super(ctx, env);
    this.#settings = settings;
    this.#createServer = createServer;
    this.#streams = new Streams(ctx, settings.maxStreamBacklogBytes, Date.now());
    this.#lateTimer = new LateTimer(settings.journalAfterMs);
    this.#isWatching = ctx.storage.kv.get<boolean>(watchKey) === true;
    this.#conversation = new Conversation({
      sessionId: ctx.id.toString(),
      store: ctx.storage.kv,
      streams: this.#streams,
      settings,
      handshake: ctx.storage.kv.get<Handshake>(handshakeKey),
      createServer: (request) => this.#buildServer(request),
      storeHandshake: (handshake) => this.#storeHandshake(handshake),
      onJournaled: () => this.#watch(),
      onClaim: (freshId) => void this.#claim(freshId),
    });
  }

  /** Every request comes from our own Worker, which names its purpose: see `link.ts`. */
  override async fetch(request: Request): Promise<Response> {
    try {
      // The Worker sets it on every request, so the cast holds.
      const verb = request.headers.get(link.verbHeader) as link.Verb;
      switch (verb) {
        case "attach":
          return this.#attach(request);
        case "release":
          return this.#release(request);
        case "return":
          return await this.#takeBack(request);
        case "sse-message":
          return await this.#postSse(request);
        case "mcp-initialize":
        case "mcp-message":
          return await this.#postMcp(request, { isNew: verb === "mcp-initialize" });
        case "mcp-end":
          return await this.#delete();
      }
    } catch (error) {
      const incident = crypto.randomUUID();
      console.error(JSON.stringify({ event: "incident", incident, error: describe(error) }));
      return refusals.internalError(incident);
    }
  }

  /** A relay says that its client has read: see `confirmation`. */
  override webSocketMessage(socket: WebSocket): void {
    const stream = this.#streams.confirm(socket);
    if (stream !== undefined) this.#conversation.continueSending(stream);
  }

  /** A relay is gone: its client left, or is about to come back. */
  override webSocketClose(socket: WebSocket, code: number): void {
    // Answers the close handshake; a code that was not received cannot be sent.
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
    this.#detach(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.#detach(socket);
  }

  /** A running call may have lost its object, or the session may be abandoned. */
  override async alarm(): Promise<void> {
    this.#alarmAtMs = 0;
    const { calls } = this.#conversation;
    if (!this.#isWatching) {
      if (this.#streams.hasSocket || calls.size > 0) await this.#scheduleEnd();
      else await this.#end();
      return;
    }
    await this.#conversation.recover();
    if (calls.size > 0) return await this.#setAlarm(watchMs);
    this.#isWatching = false;
    this.ctx.storage.kv.delete(watchKey);
    await this.#scheduleEnd();
  }

  #attach(request: Request): Response {
    const stream = request.headers.get(link.streamHeader) ?? link.sseStream;
    const kind = request.headers.get(link.attachHeader) as link.AttachKind;
    const afterText = request.headers.get(link.afterHeader);
    const after = afterText === null ? undefined : Number(afterText);
    const mustExist = kind === "resumed" || kind === "again";
    if (this.#ended || (mustExist && this.#conversation.handshake === undefined))
      return refusals.unknownSession();
    const openedAtMs = Number(request.headers.get(link.openedHeader));
    if (this.#streams.hasNewer(stream, openedAtMs)) return refusals.streamSuperseded();
    const { 0: relayEnd, 1: ownEnd } = new WebSocketPair();
    const conversation = this.#conversation;
    // Before the socket counts as attached: what is in doubt depends on since when nobody was there.
    const inDoubtSince = this.#streams.lostAtMs(stream);
    this.#streams.attach(stream, ownEnd, openedAtMs);
    if (after !== undefined && kind === "resumed") conversation.acknowledge(stream, after);
    conversation.replay(stream, { after, lostAtMs: inDoubtSince });
    const recovering = conversation.recover();
    if (recovering === undefined) conversation.endIfAnswered(stream);
    else this.ctx.waitUntil(recovering.then(() => conversation.endIfAnswered(stream)));
    return new Response(null, { status: 101, webSocket: relayEnd });
  }

  #detach(socket: WebSocket): void {
    if (!this.#streams.detach(socket, Date.now())) return;
    if (this.#conversation.handshake === undefined) return;
    this.#conversation.save();
    this.#noteTraffic();
  }

  async #takeBack(request: Request): Promise<Response> {
    const stream = request.headers.get(link.streamHeader) ?? link.sseStream;
    const openedAtMs = Number(request.headers.get(link.openedHeader));
    const frames = link.splitFrames(await request.arrayBuffer());
    if (this.#conversation.handshake !== undefined) this.#conversation.takeBack(stream, { frames, openedAtMs });
    return new Response(null, { status: 204 });
  }

  /** This fresh object's client belongs to another session: its relay is told to attach there. */
  #release(request: Request): Response {
    const command: link.AttachCommand = { attach: request.headers.get(link.releaseToHeader) ?? "" };
    for (const socket of this.ctx.getWebSockets(link.sseStream)) socket.send(JSON.stringify(command));
    return new Response(null, { status: 204 });
  }

  async #claim(freshId: string): Promise<void> {
    const { binding } = this.#settings;
    const namespace = (this.env as Record<string, DurableObjectNamespace>)[binding];
    try {
      const fresh = namespace?.get(namespace.idFromString(freshId));
      const headers = { [link.verbHeader]: "release", [link.releaseToHeader]: this.ctx.id.toString() };
      await fresh?.fetch("https://session/", { headers });
    } catch (error) {
      // A made-up id, or an object that is gone: the client is given a new session when its time to claim is over.
      console.warn(JSON.stringify({ event: "claim-failed", error: describe(error) }));
    }
  }

  async #postSse(request: Request): Promise<Response> {
    const parsed = parseBody(await request.text());
    if (!this.#exists("sse")) return refusals.unknownSession();
    if (!parsed.ok) return refuseBody(parsed);
    const wrongLane = this.#refuseOtherLane("sse");
    if (wrongLane !== undefined) return wrongLane;
    await this.#conversation.ready(request);
    const refusal = this.#refuseCalls(parsed.messages);
    if (refusal !== undefined) return refusal;

    const where = { stream: link.sseStream, lane: "sse", extra: messageExtra(request) } as const;
    const calls = this.#conversation.deliver(parsed.messages, where);
    await this.#answeredOr(calls.map((call) => call.ended));
    this.#conversation.journalRunning(calls, request, "sse");
    this.#noteTraffic();
    return new Response(null, { status: 202 });
  }

  async #postMcp(request: Request, { isNew }: { isNew: boolean }): Promise<Response> {
    const parsed = parseBody(await request.text());
    if (!isNew && !this.#exists("mcp")) return refusals.unknownSession();
    if (!parsed.ok) return refuseBody(parsed);
    const refusedBefore = this.#refuseOtherLane("mcp") ?? refuseInitialize(parsed.messages, { isNew });
    if (refusedBefore !== undefined) return refusedBefore;
    await this.#conversation.ready(request);
    const refusal = this.#refuseVersion(request) ?? this.#refuseCalls(parsed.messages);
    if (refusal !== undefined) return refusal;

    const requestCount = parsed.messages.filter(isRequest).length;
    const sequence = this.#conversation.outbox.nextSequence(Date.now());
    const post = this.#openPost(sequence, {
      requestCount,
      batch: parsed.batch,
      version: this.#versionOf(request, parsed.messages),
    });
    if (requestCount > 0) this.#streams.addPost(post);
    const extra = messageExtra(request, this.#closers(post));
    const calls = this.#conversation.deliver(parsed.messages, { stream: post.name, lane: "mcp", extra });
    this.#noteTraffic();
    if (requestCount === 0) return new Response(null, { status: 202 });

    await this.#answeredOr([post.response]);
    this.#conversation.journalRunning(calls, request, "mcp");
    this.#conversation.startEvents(post);
    return await post.response;
  }

  /**
   * The newest revision its client is known to read: what it asked for in `initialize`, or a header that says more.
   * A header that says less is no reason to withhold what the client can read.
   */
  #versionOf(request: Request, [first]: JSONRPCMessage[]): string | undefined {
    const opening = first !== undefined && isRequest(first) && first.method === "initialize" ? first.params : undefined;
    const asked = (opening ?? this.#conversation.handshake?.initialize)?.["protocolVersion"];
    const header = request.headers.get("mcp-protocol-version") ?? undefined;
    if (typeof asked !== "string") return header;
    return header !== undefined && header > asked ? header : asked;
  }

  #openPost(
    sequence: number,
    shape: { requestCount: number; batch: boolean; version: string | undefined },
  ): PostStream {
    const name = `p${sequence.toString(36)}`;
    const sessionId = this.ctx.id.toString();
    const priming =
      shape.version !== undefined && shape.version >= firstRevisionWithPriming
        ? primingFrame(formatEventId({ sessionId, stream: name, sequence }), { retryMs: this.#settings.retryMs })
        : undefined;
    const { maxStreamBacklogBytes } = this.#settings;
    return new PostStream({ ...shape, name, sessionId, maxStreamBacklogBytes, primingFrame: priming });
  }

  /** What lets a tool end a connection and have its client poll (revision 2025-11-25, SEP-1699). */
  #closers(post: PostStream): MessageExtraInfo {
    if (!post.isResumable) return {};
    return {
      closeSSEStream: () => post.end(),
      closeStandaloneSSEStream: () => this.#streams.end(link.listenStream),
    };
  }

  async #delete(): Promise<Response> {
    if (!this.#exists("mcp")) return refusals.unknownSession();
    const wrongLane = this.#refuseOtherLane("mcp");
    if (wrongLane !== undefined) return wrongLane;
    await this.#end();
    return new Response(null, { status: 204 });
  }

  #exists(lane: Lane): boolean {
    if (this.#ended) return false;
    return this.#conversation.handshake !== undefined || (lane === "sse" && this.#streams.isAttached(link.sseStream));
  }

  #refuseOtherLane(lane: Lane): Response | undefined {
    const { handshake } = this.#conversation;
    return handshake !== undefined && handshake.lane !== lane ? refusals.wrongLane() : undefined;
  }

  #refuseVersion(request: Request): Response | undefined {
    const version = request.headers.get("mcp-protocol-version");
    const supported = this.#conversation.transport.supportedProtocolVersions;
    if (version === null || supported.length === 0 || supported.includes(version)) return undefined;
    return refusals.protocolVersionNotInSession(version, supported);
  }

  #refuseCalls(messages: JSONRPCMessage[]): Response | undefined {
    const { calls, outbox } = this.#conversation;
    const requests = messages.filter(isRequest);
    const [first] = requests;
    if (first === undefined) return undefined;
    const ids = new Set(requests.map((request) => request.id));
    const used = ids.size < requests.length ? first : requests.find((request) => calls.get(request.id) !== undefined);
    if (used !== undefined) return refusals.requestIdInUse(used.id);
    if (outbox.isFull) return refusals.tooMuchUnread(first.id);
    const isTooMany = calls.size + requests.length > this.#settings.maxCallsInFlight;
    return isTooMany ? refusals.tooManyCalls(this.#settings.maxCallsInFlight, first.id) : undefined;
  }

  /** Waits until all of `answers` are there, at most `journalAfterMs`. */
  async #answeredOr(answers: Promise<unknown>[]): Promise<void> {
    if (answers.length > 0) await Promise.race([Promise.all(answers), this.#lateTimer.late()]);
  }

  #buildServer(request: Request) {
    const memory = storedMemory(this.ctx.storage.kv, this.#settings.maxMemoryBytes, () =>
      this.#conversation.ensureStored(this.#conversation.handshake?.lane ?? "sse"),
    );
    return this.#createServer({ era: "legacy", requestInfo: request, env: this.env, memory });
  }

  #storeHandshake(handshake: Handshake): void {
    // Not awaited, and unconfirmed: the answer to `initialize` does not wait for the disk. If the machine dies in that
    // moment the client's next message is answered 404, and it initializes again.
    void this.ctx.storage.put(handshakeKey, handshake, { allowUnconfirmed: true });
  }

  /** Moves the alarm that ends an abandoned session, if it must move: rarely, so that calls pay nothing for it. */
  #noteTraffic(): void {
    if (!this.#isAlarmWellSet()) this.ctx.waitUntil(this.#scheduleEnd());
  }

  /** Sets that alarm. Traffic moves it once in an eighth of `sessionIdleMs`. */
  async #scheduleEnd(): Promise<void> {
    this.#alarmAtMs ??= (await this.ctx.storage.getAlarm()) ?? 0;
    if (this.#isAlarmWellSet()) return;
    await this.#setAlarm(this.#streams.hasSocket ? guardMs : this.#settings.sessionIdleMs * 1.125);
  }

  #isAlarmWellSet(): boolean {
    if (this.#conversation.handshake === undefined || this.#isWatching) return true;
    if (this.#alarmAtMs === undefined) return false;
    const { sessionIdleMs } = this.#settings;
    const inMs = this.#alarmAtMs - Date.now();
    return this.#streams.hasSocket ? inMs >= guardMs / 2 : inMs >= sessionIdleMs && inMs <= 2 * sessionIdleMs;
  }

  /** While calls run, the alarm is for them; the one that ends the session is set again afterwards. */
  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.ctx.storage.kv.put(watchKey, true);
    this.ctx.waitUntil(this.#setAlarm(watchMs));
  }

  async #setAlarm(inMs: number): Promise<void> {
    this.#alarmAtMs = Date.now() + inMs;
    await this.ctx.storage.setAlarm(this.#alarmAtMs);
  }

  /** Leaves no row behind. */
  async #end(): Promise<void> {
    this.#ended = true;
    this.#streams.endAll();
    await this.#conversation.end();
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }
}

function refuseBody(parsed: Extract<ReturnType<typeof parseBody>, { ok: false }>): Response {
  return parsed.reason === "not-json" ? refusals.notJson(parsed.detail) : refusals.notJsonRpc(parsed.detail, parsed.id);
}

/** Streamable HTTP: `initialize` opens a session, alone, and nothing else does. */
function refuseInitialize(messages: JSONRPCMessage[], { isNew }: { isNew: boolean }): Response | undefined {
  const initialize = messages.filter(isRequest).find((request) => request.method === "initialize");
  if (initialize === undefined) return undefined;
  if (messages.length > 1) return refusals.initializeInBatch();
  return isNew ? undefined : refusals.alreadyInitialized(initialize.id);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
