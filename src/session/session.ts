import { CallLog } from "../call-log.ts";
import type { Settings } from "../options.ts";
import { hookCalls, userIn } from "../sdk/call-hooks.ts";
import { traceCalls } from "../sdk/call-span.ts";
import { listOthers } from "../sdk/listings.ts";
import * as refusals from "../protocol/refusals.ts";
import { readsPriming } from "../protocol/sse-frame.ts";
import type { AnyServer, ServerFactory, SessionMemory } from "../server-context.ts";
import { attempt } from "./stored/attempt.ts";
import { Conversation } from "./server/conversation.ts";
import { Expiry } from "./stored/expiry.ts";
import { type Handshake, HandshakeRecord } from "./stored/handshake.ts";
import { split } from "../link/joined.ts";
import * as link from "../link/link.ts";
import { storedMemory } from "./stored/memory.ts";
import { Admission } from "./in/admission.ts";
import { Rows } from "./stored/rows.ts";
import { SsePosts } from "./in/sse-posts.ts";
import { Streams } from "./out/streams.ts";
import { versionIn } from "./stored/worker-version.ts";

/** What the answer to `initialize` takes to leave this machine, milliseconds: a write stops everything else on it. */
const storeAfterMs = 2;

export interface SessionOptions<Env> {
  ctx: DurableObjectState;
  env: Env;
  createServer: ServerFactory<Env>;
  settings: Settings;
  /** Nothing was ever stored: nothing has to be read. */
  isNew: boolean;
}

/**
 * One MCP session: its server, its streams, and all that a client must not lose.
 *
 * Storage: see `Rows`, and one alarm. Nothing before the first message that must last; nothing after the end.
 * Cost: with a stream open and nothing happening the object hibernates: no timer, no write, no duration.
 * Lifetime: from `initialize` to DELETE, or until it had neither stream nor traffic for `sessionIdleMs`. The object itself
 * is evicted and rebuilt many times within it, and no client notices.
 * Loses: notifications, when a client leaves more of them unread than its bounds allow; answers to POSTs of Streamable
 * HTTP that it does not come back for.
 */
export class Session<Env> {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #settings: Settings;
  readonly #createServer: ServerFactory<Env>;
  readonly #streams: Streams;
  readonly #conversation: Conversation;
  readonly #record: HandshakeRecord;
  readonly #rows: Rows;
  readonly #memory: SessionMemory;
  readonly #admission: Admission;
  readonly #ssePosts: SsePosts;
  readonly #expiry: Expiry;
  readonly #callLog: CallLog;
  /** A handshake that is not written yet, for a moment. */
  #unstored: Handshake | undefined;
  #storeTimer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;
  /** Whether something waited for a client to read when the session ended. */
  unreadAtEnd = false;

  constructor({ ctx, env, createServer, settings, isNew }: SessionOptions<Env>) {
    this.#ctx = ctx;
    this.#env = env;
    this.#settings = settings;
    this.#createServer = createServer;
    this.#streams = new Streams(ctx, settings.maxStreamBacklogBytes, Date.now());
    const sessionId = ctx.id.toString();
    const rows = new Rows(ctx.storage, { isNew, beforeWrite: () => this.#flushHandshake() });
    this.#rows = rows;
    this.#memory = storedMemory(rows, settings.maxMemoryBytes, () => this.#conversation.ensureStored());
    this.#record = new HandshakeRecord(rows.handshake, (changed) => this.#storeHandshake(changed), versionIn(env));
    this.#callLog = new CallLog(sessionId, (written) => ctx.waitUntil(written));
    this.#conversation = new Conversation({
      sessionId,
      store: rows,
      streams: this.#streams,
      settings,
      record: this.#record,
      createServer: (request) => this.#buildServer(request),
      onJournaled: () => this.#expiry.watchCalls(),
      callLog: this.#callLog,
      onClaim: (freshId) => void this.#claim(freshId),
    });
    const conversation = this.#conversation;
    const streams = this.#streams;
    this.#expiry = new Expiry({
      ctx,
      rows,
      sessionIdleMs: settings.sessionIdleMs,
      hasStream: () => streams.hasSocket,
      hasCalls: () => conversation.calls.size > 0,
      recover: () => conversation.recover(),
      end: () => this.#end("idle"),
    });
    this.#admission = new Admission({
      sessionId,
      conversation,
      streams,
      settings,
      isEnded: () => this.#ended,
      onTraffic: () => this.#expiry.noteTraffic(),
    });
    this.#ssePosts = new SsePosts(this.#admission);
  }

  /** Whether nothing of it remains but what its tools left behind: it has ended, or nobody is there and nothing is stored. */
  get isOver(): boolean {
    const { handshake, hasServer } = this.#conversation;
    return this.#ended || (hasServer && handshake === undefined && !this.#streams.hasSocket);
  }

  async fetch(verb: link.Verb, request: Request): Promise<Response> {
    switch (verb) {
      case "attach":
        return this.#attach(request);
      case "release":
        return this.#release(request);
      case "return":
        return await this.#takeBack(request);
      case "sse-message":
        return await this.#ssePosts.byRequest(request);
      case "sse-again":
        return await this.#ssePosts.again(request);
      case "mcp-initialize":
      case "mcp-message":
        return await this.#admission.toMcp(request, { isNew: verb === "mcp-initialize" });
      case "mcp-end":
        return await this.#delete();
    }
  }

  /**
   * A relay brings a POST of its client, says that the client has read, see `confirmation`, or that it cannot hold
   * an answer that it wrote. The messages of a socket do not wait for each other's end.
   */
  webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> | void {
    if (message === link.noRoom || message === link.noRoomOfV1) return this.#conversation.delivery.save();
    const post = typeof message === "string" ? link.unpackPost(message) : undefined;
    if (post !== undefined) return this.#ssePosts.bySocket(socket, post);
    const stream = this.#streams.confirm(socket, Number(message));
    if (stream !== undefined) this.#conversation.continueSending(stream);
  }

  /** A relay is gone: its client left, or is about to come back. */
  webSocketClose(socket: WebSocket, code: number): void {
    // Answers the close handshake; a code that was not received cannot be sent.
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
    this.detach(socket);
  }

  alarm(info?: AlarmInvocationInfo): Promise<void> {
    return this.#expiry.alarm(info);
  }

  #refuseAttach(stream: string, { mustExist, openedAtMs }: { mustExist: boolean; openedAtMs: number }) {
    if (this.#ended || (mustExist && this.#conversation.handshake === undefined)) return refusals.unknownSession();
    const wrongLane = this.#admission.refuseOtherLane(stream === link.sseStream ? "sse" : "mcp");
    if (wrongLane !== undefined) return wrongLane;
    return this.#streams.hasNewer(stream, openedAtMs) ? refusals.streamSuperseded() : undefined;
  }

  #attach(request: Request): Response {
    const stream = request.headers.get(link.streamHeader) ?? link.sseStream;
    const kind = request.headers.get(link.attachHeader) as link.AttachKind;
    const afterText = request.headers.get(link.afterHeader);
    const after = afterText === null ? undefined : Number(afterText);
    const mustExist = kind === "resumed" || kind === "again";
    const openedAtMs = Number(request.headers.get(link.openedHeader));
    const refusal = this.#refuseAttach(stream, { mustExist, openedAtMs });
    if (refusal !== undefined) return refusal;
    const conversation = this.#conversation;
    if (after !== undefined && kind === "resumed") {
      conversation.delivery.acknowledge(stream, after);
      // Answered with a stream that only ends, a client would come back for more.
      if (conversation.isOver(stream, after)) return refusals.nothingToResume();
    }
    const { 0: relayEnd, 1: ownEnd } = new WebSocketPair();
    // Before the socket counts as attached: what is in doubt depends on since when nobody was there.
    const noticedAtMs = this.#streams.noticedAtMs(stream);
    this.#streams.attach(stream, ownEnd, { openedAtMs, version: link.versionOf(request.headers) });
    const lastPost = request.headers.get(link.postHeader);
    if (lastPost !== null) this.#ssePosts.expect(link.parsePostKey(lastPost));
    const isPrimed = stream !== link.sseStream && readsPriming(conversation.handshake?.initialize?.["protocolVersion"]);
    conversation.delivery.replay(stream, { after, noticedAtMs, isPrimed });
    if (!link.isPostStream(stream)) this.#tellNewVersion();
    this.#tellResumed(stream, { kind, after });
    const recovering = conversation.recover();
    if (recovering === undefined) conversation.endIfAnswered(stream);
    else this.#ctx.waitUntil(recovering.then(() => conversation.endIfAnswered(stream)));
    const headers = { [link.versionHeader]: String(link.version) };
    return new Response(null, { status: 101, webSocket: relayEnd, headers });
  }

  /** How the client, or its relay, found back. The stream of `/mcp` for what is said unasked is opened, not resumed. */
  #tellResumed(stream: string, { kind, after }: { kind: link.AttachKind; after: number | undefined }): void {
    const { handshake, lane } = this.#record;
    if (handshake === undefined || (kind !== "resumed" && kind !== "again")) return;
    if (kind === "resumed" && after === undefined && stream !== link.sseStream) return;
    const by = kind === "again" ? "relay" : after === undefined ? "claim" : "Last-Event-ID";
    this.#callLog.tell({ event: "session-resumed", lane, by });
  }

  /** Another version of the Worker may have other tools than the client knows. It hears so once, as soon as it listens. */
  #tellNewVersion(): void {
    for (const list of this.#record.takeOutdatedLists()) {
      void this.#conversation.transport.send({ jsonrpc: "2.0", method: `notifications/${list}/list_changed` });
    }
  }

  /** A relay is gone without a word. */
  detach(socket: WebSocket): void {
    if (!this.#streams.detach(socket, Date.now())) return;
    if (this.#conversation.handshake === undefined) return;
    attempt(() => this.#flushHandshake());
    this.#conversation.delivery.save();
    this.#expiry.noteTraffic();
  }

  async #takeBack(request: Request): Promise<Response> {
    const stream = request.headers.get(link.streamHeader) ?? link.sseStream;
    const openedAtMs = Number(request.headers.get(link.openedHeader));
    const frames = split(await request.arrayBuffer());
    if (this.#conversation.handshake !== undefined)
      this.#conversation.delivery.takeBack(stream, { frames, openedAtMs });
    return new Response(null, { status: 204 });
  }

  /** This fresh object's client belongs to another session: its relay is told to attach there. */
  #release(request: Request): Response {
    const command: link.AttachCommand = { attach: request.headers.get(link.releaseToHeader) ?? "" };
    for (const socket of this.#ctx.getWebSockets(link.sseStream)) socket.send(JSON.stringify(command));
    return new Response(null, { status: 204 });
  }

  async #claim(freshId: string): Promise<void> {
    const { binding } = this.#settings;
    const namespace = (this.#env as Record<string, DurableObjectNamespace>)[binding];
    try {
      const fresh = namespace?.get(namespace.idFromString(freshId));
      const headers = { [link.verbHeader]: "release", [link.releaseToHeader]: this.#ctx.id.toString() };
      await fresh?.fetch(link.url, { headers });
    } catch (error) {
      // A made-up id, or an object that is gone: the client is given a new session when its time to claim is over.
      console.warn(JSON.stringify({ event: "claim-failed", error: String(error) }));
    }
  }

  async #delete(): Promise<Response> {
    if (this.#ended || !this.#admission.exists("mcp")) return refusals.unknownSession();
    const wrongLane = this.#admission.refuseOtherLane("mcp");
    if (wrongLane !== undefined) return wrongLane;
    await this.#end("client");
    return new Response(null, { status: 204 });
  }

  async #buildServer(request: Request): Promise<AnyServer> {
    const context = { era: "legacy", requestInfo: request, env: this.#env, memory: this.#memory } as const;
    const server = await this.#createServer(context);
    listOthers(server);
    const user = userIn(context);
    this.#callLog.principal = user?.id;
    const caller = { lane: () => this.#record.lane, sessionId: this.#ctx.id.toString(), user };
    hookCalls(server, this.#settings.onCall, caller);
    traceCalls(server, caller);
    return server;
  }

  /**
   * Stores the handshake, and with it sets the alarm, right after the answer to `initialize`, which waits for neither: a
   * session's first write opens its database. Both in one turn, so that there is never a row without an alarm.
   */
  #storeHandshake(handshake: Handshake): void {
    // A tool that did not stop remembers something.
    if (this.#ended) return;
    this.#unstored = handshake;
    this.#storeTimer ??= setTimeout(() => attempt(() => this.#flushHandshake()), storeAfterMs);
  }

  #flushHandshake(): void {
    clearTimeout(this.#storeTimer);
    this.#storeTimer = undefined;
    const handshake = this.#unstored;
    if (handshake === undefined) return;
    this.#rows.writeHandshake(handshake);
    this.#unstored = undefined;
    this.#expiry.noteTraffic();
  }

  /** Leaves no row behind. */
  async #end(by: "client" | "idle"): Promise<void> {
    if (this.#record.handshake !== undefined) {
      this.#callLog.tell({ event: "session-ended", lane: this.#record.lane, by });
    }
    this.#ended = true;
    clearTimeout(this.#storeTimer);
    this.#unstored = undefined;
    this.unreadAtEnd = this.#streams.hasUnread;
    this.#streams.endAll();
    await this.#conversation.end();
    await this.#rows.deleteAll();
  }
}
