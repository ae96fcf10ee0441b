import type { Settings } from "../options.ts";
import { listOthers } from "../sdk/listings.ts";
import * as refusals from "../protocol/refusals.ts";
import { readsPriming } from "../protocol/sse-frame.ts";
import type { AnyServer, ServerFactory, SessionMemory } from "../server-context.ts";
import { attempt } from "./stored/attempt.ts";
import { Conversation } from "./server/conversation.ts";
import { Expiry } from "./stored/expiry.ts";
import { type Handshake, HandshakeRecord } from "./stored/handshake.ts";
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
    this.#conversation = new Conversation({
      sessionId,
      store: rows,
      streams: this.#streams,
      settings,
      record: this.#record,
      createServer: (request) => this.#buildServer(request),
      onJournaled: () => this.#expiry.watchCalls(),
      waitUntil: (done) => ctx.waitUntil(done),
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
      end: () => this.#end(),
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

  async fetch(ask: link.ParsedAsk, request: Request): Promise<Response> {
    switch (ask.verb) {
      case "attach":
        return this.#attach(ask.attach);
      case "release":
        return this.#release(ask.sessionId);
      case "return":
        return await this.#takeBack(ask, request);
      case "sse-message":
        return await this.#ssePosts.byRequest(request);
      case "sse-again":
        return await this.#ssePosts.again(ask.key, request);
      case "mcp-initialize":
      case "mcp-message":
        return await this.#admission.toMcp(request, { isNew: ask.verb === "mcp-initialize" });
      case "mcp-end":
        return await this.#delete();
    }
  }

  /** The messages of a socket do not wait for each other's end. */
  webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> | void {
    const said = link.parseFromRelay(message);
    switch (said?.is) {
      case "post":
        return this.#ssePosts.bySocket(socket, said.post);
      case "confirmation":
        return this.#confirm(socket, said.sequence);
      case "no-room":
        return this.#conversation.delivery.save();
      case undefined:
        return link.logUnknown("relay");
    }
  }

  /** The client of `socket` has read all up to `sequence`. */
  #confirm(socket: WebSocket, sequence: number): void {
    const stream = this.#streams.confirm(socket, sequence);
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

  #refuseAttach({ stream, session, openedAtMs }: link.AttachRequest): Response | undefined {
    const isMissing = session === "stored" && this.#conversation.handshake === undefined;
    if (this.#ended || isMissing) return refusals.unknownSession();
    const wrongLane = this.#admission.refuseOtherLane(stream === link.sseStream ? "sse" : "mcp");
    if (wrongLane !== undefined) return wrongLane;
    return this.#streams.hasNewer(stream, openedAtMs) ? refusals.streamSuperseded() : undefined;
  }

  #attach(request: link.AttachRequest): Response {
    const refusal = this.#refuseAttach(request);
    if (refusal !== undefined) return refusal;
    const { stream, position, lastPost } = request;
    const conversation = this.#conversation;
    if (position?.saidBy === "client") {
      conversation.delivery.acknowledge(stream, position.after);
      // Answered with a stream that only ends, a client would come back for more.
      if (conversation.isOver(stream, position.after)) return refusals.nothingToResume();
    }
    const { 0: relayEnd, 1: ownEnd } = new WebSocketPair();
    // Before the socket counts as attached: what is in doubt depends on since when nobody was there.
    const noticedAtMs = this.#streams.noticedAtMs(stream);
    this.#streams.attach(stream, ownEnd, request);
    if (lastPost !== undefined) this.#ssePosts.expect(lastPost);
    const isPrimed = stream !== link.sseStream && readsPriming(conversation.handshake?.initialize?.["protocolVersion"]);
    conversation.delivery.replay(stream, { after: position?.after, noticedAtMs, isPrimed });
    if (!link.isPostStream(stream)) this.#tellNewVersion();
    const recovering = conversation.recover();
    if (recovering === undefined) conversation.endIfAnswered(stream);
    else this.#ctx.waitUntil(recovering.then(() => conversation.endIfAnswered(stream)));
    return new Response(null, { status: 101, webSocket: relayEnd, headers: link.versionHeaders });
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

  async #takeBack({ stream, openedAtMs }: link.StreamEnd, request: Request): Promise<Response> {
    const frames = link.split(await request.arrayBuffer());
    if (this.#conversation.handshake !== undefined)
      this.#conversation.delivery.takeBack(stream, { frames, openedAtMs });
    return new Response(null, { status: 204 });
  }

  /** This fresh object's client belongs to another session: its relay is told to attach there. */
  #release(sessionId: string): Response {
    const said = link.formatFromObject({ is: "attach", sessionId });
    for (const socket of this.#ctx.getWebSockets(link.sseStream)) socket.send(said);
    return new Response(null, { status: 204 });
  }

  async #claim(freshId: string): Promise<void> {
    const { binding } = this.#settings;
    const namespace = (this.#env as Record<string, DurableObjectNamespace>)[binding];
    try {
      const fresh = namespace?.get(namespace.idFromString(freshId));
      const headers = link.askHeaders({ verb: "release", sessionId: this.#ctx.id.toString() });
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
    await this.#end();
    return new Response(null, { status: 204 });
  }

  async #buildServer(request: Request): Promise<AnyServer> {
    const context = { era: "legacy", requestInfo: request, env: this.#env, memory: this.#memory } as const;
    const server = await this.#createServer(context);
    listOthers(server);
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
  async #end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#storeTimer);
    this.#unstored = undefined;
    this.unreadAtEnd = this.#streams.hasUnread;
    this.#streams.endAll();
    await this.#conversation.end();
    await this.#rows.deleteAll();
  }
}
