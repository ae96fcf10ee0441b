import { CallLog } from "../call-log.ts";
import type { Settings } from "../options.ts";
import * as refusals from "../protocol/refusals.ts";
import type { ServerFactory } from "../server-context.ts";
import type { Clock } from "./clock.ts";
import { attempt } from "./stored/attempt.ts";
import { buildServer, type ServerParts } from "./server/build-server.ts";
import { Conversation } from "./server/conversation.ts";
import { Expiry } from "./stored/expiry.ts";
import { partsOf } from "./inspect.ts";
import { HandshakeRecord } from "./stored/handshake.ts";
import { LateHandshake } from "./stored/late-handshake.ts";
import * as link from "../link/link.ts";
import { namespaceOf } from "../link/namespace.ts";
import { storedMemory } from "./stored/memory.ts";
import { Admission } from "./in/admission.ts";
import { Attaching } from "./in/attaching.ts";
import { Rows } from "./stored/rows.ts";
import { takeStream } from "./in/take-stream.ts";
import { SsePosts } from "./in/sse-posts.ts";
import { Streams } from "./out/streams.ts";
import { versionIn } from "./stored/worker-version.ts";

export interface SessionOptions<Env> {
  clock: Clock;
  ctx: DurableObjectState;
  env: Env;
  createServer: ServerFactory<Env>;
  settings: Settings;
  /** Nothing was ever stored: nothing has to be read. */
  isNew: boolean;
}

/** `hasUnread`: something waited for a client to read when the session ended. */
type State = { is: "open" } | { is: "ended"; hasUnread: boolean };

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
  readonly #clock: Clock;
  readonly #ctx: DurableObjectState;
  /** Kept: each event has it in its id, and the platform writes it anew each time that it is asked. */
  readonly #objectId: string;
  readonly #streams: Streams;
  readonly #conversation: Conversation;
  readonly #record: HandshakeRecord;
  readonly #lateHandshake: LateHandshake;
  readonly #rows: Rows;
  readonly #admission: Admission;
  readonly #ssePosts: SsePosts;
  readonly #attaching: Attaching;
  readonly #expiry: Expiry;
  readonly #callLog: CallLog;
  #state: State = { is: "open" };

  constructor({ clock, ctx, env, createServer, settings, isNew }: SessionOptions<Env>) {
    this.#clock = clock;
    this.#ctx = ctx;
    const namespace = namespaceOf(env, settings.binding);
    this.#streams = new Streams(ctx, settings.maxStreamBacklogBytes, clock());
    const objectId = ctx.id.toString();
    this.#objectId = objectId;
    const rows = new Rows(ctx.storage, { isNew, beforeWrite: () => this.#lateHandshake.flush() });
    this.#rows = rows;
    this.#lateHandshake = new LateHandshake((handshake) => {
      rows.writeHandshake(handshake);
      this.#expiry.noteTraffic();
    });
    const memory = storedMemory(rows, settings.maxMemoryBytes, () => this.#conversation.ensureStored());
    this.#record = new HandshakeRecord(
      rows.handshake,
      (...changed) => this.#lateHandshake.store(...changed),
      versionIn(env),
    );
    this.#record.holder ??= this.#streams.holder;
    this.#callLog = new CallLog(objectId, (written) => ctx.waitUntil(written));
    const shared = {
      clock,
      ctx,
      settings,
      objectId,
      sessionId: () => this.#sessionId,
      rows,
      streams: this.#streams,
      record: this.#record,
      callLog: this.#callLog,
      isEnded: () => this.#state.is === "ended",
    };
    const parts: ServerParts<Env> = { ...shared, createServer, env, namespace, memory };
    this.#conversation = new Conversation({
      ...shared,
      createServer: (request) => buildServer(request, parts),
      onJournaled: () => this.#expiry.watchCalls(),
      onClaim: (freshId) => void this.#takeStream(namespace, freshId),
    });
    const spoken = { ...shared, conversation: this.#conversation };
    this.#expiry = new Expiry({ ...spoken, end: () => this.#end("idle") });
    this.#admission = new Admission({ ...spoken, onTraffic: () => this.#expiry.noteTraffic() });
    this.#ssePosts = new SsePosts(this.#admission);
    this.#attaching = new Attaching({ ...spoken, admission: this.#admission, ssePosts: this.#ssePosts });
    if (process.env["NODE_ENV"] === "development") partsOf.set(this, spoken);
  }

  /** Whether nothing of it remains but what its tools left behind: it has ended, or nobody is there and nothing is stored. */
  get isOver(): boolean {
    const { handshake, hasServer } = this.#conversation;
    return this.#state.is === "ended" || (hasServer && handshake === undefined && !this.#streams.hasSocket);
  }

  /** Whether it has ended, and something waits for a client to read still. */
  get hasUnreadAtEnd(): boolean {
    return this.#state.is === "ended" && this.#state.hasUnread;
  }

  /** As its client has it. */
  get #sessionId(): string {
    return this.#objectId + (this.#record.holder?.secret ?? "");
  }

  fetch(ask: link.SessionAsk, received: Request): Response | Promise<Response> {
    const request = link.asItCame(received);
    switch (ask.verb) {
      case "attach":
        return this.#attaching.attach(ask.attach);
      case "release":
        return this.#release(ask);
      case "return":
        return this.#takeBack(ask, request);
      case "sse-message":
        return this.#ssePosts.byRequest(request);
      case "sse-again":
        return this.#ssePosts.again(ask.key, request);
      case "mcp-initialize":
        this.#record.holder = { secret: ask.secret, owner: link.ownerOf(request) };
        return this.#admission.toMcp(request, { isNew: true });
      case "mcp-message":
        return this.#admission.toMcp(request, { isNew: false });
      case "mcp-end":
        return this.#delete(request);
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
    this.detach(socket);
    // Answers the close handshake, behind what that has written; a code that was not received cannot be sent.
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }

  alarm(info?: AlarmInvocationInfo): Promise<void> {
    return this.#expiry.alarm(info);
  }

  /** A relay is gone without a word. */
  detach(socket: WebSocket): void {
    if (!this.#streams.detach(socket, this.#clock())) return;
    if (this.#conversation.handshake === undefined) return;
    attempt(() => this.#lateHandshake.flush());
    this.#conversation.delivery.save();
    this.#expiry.noteTraffic();
  }

  async #takeBack({ stream, openedAtMs, holder }: link.StreamEnd, request: Request): Promise<Response> {
    const frames = link.split(await request.arrayBuffer());
    if (this.#conversation.handshake !== undefined && this.#isHeldBy(holder))
      this.#conversation.delivery.takeBack(stream, { frames, openedAtMs });
    return new Response(null, { status: 204 });
  }

  /** Whether a Worker, or another object, speaks for whoever opened this session. */
  #isHeldBy(other: link.Holder): boolean {
    const { holder } = this.#record;
    return holder !== undefined && link.isSameHolder(holder, other);
  }

  /** This fresh object's client belongs to another session: its relay is told to attach there. */
  #release({ sessionId, holder }: { sessionId: string; holder: link.Holder }): Response {
    if (!this.#isHeldBy(holder)) return new Response(null, { status: 204 });
    const said = link.formatFromObject({ is: "attach", sessionId });
    for (const socket of this.#ctx.getWebSockets(link.sseStream)) socket.send(said);
    return new Response(null, { status: 204 });
  }

  #takeStream(namespace: DurableObjectNamespace, freshId: string): Promise<void> {
    const owner = this.#record.holder?.owner ?? "";
    return takeStream(namespace, { freshId, sessionId: this.#sessionId, owner });
  }

  async #delete(request: Request): Promise<Response> {
    if (!this.#admission.exists("mcp", request)) return refusals.unknownSession();
    const wrongLane = this.#admission.refuseOtherLane("mcp");
    if (wrongLane !== undefined) return wrongLane;
    await this.#end("client");
    return new Response(null, { status: 204 });
  }

  /** Leaves no row behind. */
  async #end(by: "client" | "idle"): Promise<void> {
    if (this.#record.handshake !== undefined) {
      this.#callLog.tell({ event: "session-ended", lane: this.#record.lane, by });
    }
    this.#state = { is: "ended", hasUnread: this.#streams.hasUnread };
    this.#lateHandshake.drop();
    this.#streams.endAll();
    this.#conversation.end();
    await this.#rows.deleteAll();
  }
}
