import type { Settings } from "../options.ts";
import { eventStreamHeaders, keepAliveFrame, retryFrame } from "../protocol/sse-frame.ts";
import {
  type AttachCommand,
  claimAsks,
  claimId,
  closeCode,
  confirmation,
  notKept,
  type Receipt,
  unpackFrame,
} from "../session/link.ts";
import type { AttachTarget, StreamSource } from "./attach.ts";
import { Copies } from "./copies.ts";

/** What a relay needs for as long as it lives. */
export interface RelayOptions {
  source: StreamSource;
  target: AttachTarget;
  /** The session is new, and the client may have had another: ask it, and give it `endpoint` if it does not answer. */
  claim?: { endpointFrame: string } | undefined;
  /** Whether the client can be told to wait, see `clients.ts`. */
  readsRetry?: boolean;
  settings: Settings;
}

/** How the client is answered. */
export interface RelayResponse {
  /** What it gets first, before anything of the session. */
  preamble: string;
  headers?: Record<string, string>;
}

/** Waits between attempts to attach again, milliseconds. After the last one the stream is ended: the client reconnects. */
const reattachDelaysMs = [0, 25, 50, 100, 200, 400, 800, 1_600, 3_000, 3_000, 3_000];

/** How often it is asked whether a client has read, while much waits for it, milliseconds. */
const askAgainMs = 10;

/** A client that has no more than this before it has read what was sent, bytes. */
const drainedBytes = 64 * 1024;

/** Keep-alives at which a client has read nothing of what waits, before its stream is closed. */
const stallsBeforeClose = 2;

/** One for all: each `ByteLengthQueuingStrategy` would make a function of its own, larger than all that a relay remembers. */
const byteLengths: QueuingStrategy<Uint8Array> = {
  highWaterMark: drainedBytes,
  size: ({ byteLength }) => byteLength,
};

/**
 * What a client whose stream was taken over waits before it reconnects. It may be a second client of the same session:
 * at the usual `retry` the two would throw each other out several times a second.
 */
const supersededRetryMs = 10_000;

const encoder = new TextEncoder();

/** The same bytes for all: thousands of quiet streams are written this every few seconds. */
const keepAliveBytes = encoder.encode(keepAliveFrame);

/**
 * One client's SSE stream, held by the Worker, fed by a session's object over a WebSocket.
 *
 * It copies bytes and knows how far they reached. When the object goes away it attaches again and the client sees
 * nothing; when the client goes away the object is told. Keep-alive is written here and never wakes the object.
 *
 * Storage: none. Lifetime: the client's connection. Loses: what lies in its queue when the client goes: the object has it.
 */
export class StreamRelay {
  /**
   * Attaches and answers the client. The object's refusal is passed on. A session that cannot be reached now is attached to
   * later: to most clients any other answer than 200 is the end of their stream. Rejects if a new one cannot be reached.
   */
  static async open(options: RelayOptions, { preamble, headers }: RelayResponse): Promise<Response> {
    const { source, target } = options;
    const attached = await (target.kind === "new" ? source.attach(target) : tryAttach(source, target));
    if (attached instanceof Response) return attached;
    const relay = new StreamRelay(options);
    const body = relay.#start(preamble);
    if (attached === undefined) void relay.#attachAgain();
    else relay.#follow(attached);
    return new Response(body, {
      headers: { ...eventStreamHeaders, ...headers },
    });
  }

  readonly #options: RelayOptions;
  #sessionId: string;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #socket: WebSocket | undefined;
  /** The search for an object that went away. Whatever is followed meanwhile ends it, so does the end of the stream. */
  #search: symbol | undefined;
  /** The sequence of the last message written for the client. */
  #reached: number;
  readonly #copies: Copies;
  /** Bytes of the object since it was last told that the client reads, counted as it counts them: it waits for that. */
  #unconfirmedBytes = 0;
  /** Bytes written in all, and how many of them the client had read at the last keep-alive. */
  #writtenBytes = 0;
  #readBytes = 0;
  /** Keep-alives in a row since which it has read nothing of what waits. */
  #stalls = 0;
  #confirmTimer: ReturnType<typeof setTimeout> | undefined;
  #keepAliveTimer: ReturnType<typeof setInterval> | undefined;
  #claimTimer: ReturnType<typeof setInterval> | undefined;
  #claimsAsked = 0;
  /** Whether the session that its client named is being attached to. */
  #isObeying = false;

  private constructor(options: RelayOptions) {
    this.#options = options;
    this.#sessionId = options.target.sessionId;
    this.#reached = options.target.after ?? 0;
    this.#copies = new Copies(options.settings.maxOutboxBytes);
  }

  /** Whether nothing waits in the client's stream. */
  get isWritten(): boolean {
    return (this.#controller?.desiredSize ?? drainedBytes) >= drainedBytes;
  }

  #start(preamble: string): ReadableStream<Uint8Array> {
    const { settings, claim } = this.#options;
    const body = new ReadableStream<Uint8Array>(
      { start: (controller) => void (this.#controller = controller), cancel: () => this.#stop() },
      byteLengths,
    );
    this.#keepAliveTimer = setInterval(() => this.#keepAlive(), settings.keepAliveMs);
    this.#writeText(preamble);
    if (claim === undefined) return body;
    this.#askForClaim();
    this.#claimTimer = setInterval(() => {
      if (this.#claimsAsked < claimAsks) this.#askForClaim();
      else this.#giveNewSession(claim);
    }, settings.claimMs / claimAsks);
    return body;
  }

  #askForClaim(): void {
    const id = claimId(this.#options.target.sessionId, this.#claimsAsked++);
    this.#writeText(`event: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", id, method: "ping" })}\n\n`);
  }

  /** Takes `socket` as the source of the stream. */
  #follow(socket: WebSocket): void {
    this.#socket = socket;
    this.#search = undefined;
    this.#unconfirmedBytes = 0;
    socket.addEventListener("message", ({ data }) => {
      if (this.#socket !== socket) return;
      if (typeof data === "string") this.#hear(JSON.parse(data) as AttachCommand | Receipt);
      else this.#relay(data as ArrayBuffer);
    });
    const lose = (): void => this.#lose(socket);
    socket.addEventListener("close", ({ code }) => this.#lose(socket, code));
    // The runtime reports a disconnection as a close, any other failure only as this.
    socket.addEventListener("error", lose);
    // The default is Blob since 2026, and a Blob can only be read later: frames would overtake each other.
    socket.binaryType = "arraybuffer";
    socket.accept();
    this.#options.source.uplink?.open(this.#sessionId, socket, lose);
  }

  /** `socket` carries nothing more, for all that is known. It is not closed: one that failed cannot be. */
  #lose(socket: WebSocket, code?: number): void {
    if (this.#socket !== socket) return;
    this.#options.source.uplink?.close();
    if (code === closeCode.superseded && this.#options.readsRetry === true) {
      this.#writeText(retryFrame(supersededRetryMs));
    }
    if (code === closeCode.ended || code === closeCode.superseded) this.#end();
    else void this.#attachAgain();
  }

  #hear(said: AttachCommand | Receipt): void {
    if ("receipt" in said) this.#options.source.uplink?.settle(said, this);
    else void this.#obey(said);
  }

  #relay(data: ArrayBuffer): void {
    const { sequence, post, frame } = unpackFrame(data);
    this.#write(frame);
    if (post !== 0) this.#options.source.uplink?.settle({ receipt: post, isAnswered: true }, this);
    if (!this.#copies.add(data, Date.now())) this.#socket?.send(notKept);
    this.#reached = Math.max(this.#reached, sequence);
    this.#unconfirmedBytes += data.byteLength;
    if (this.#unconfirmedBytes >= this.#options.settings.maxStreamBacklogBytes / 2) this.#confirmWhenRead();
  }

  /**
   * Tells the object that it may send more, as soon as the client has read what was sent. Asked again and again rather
   * than told by the stream's `pull`, which would cost every small message something.
   */
  #confirmWhenRead(): void {
    clearTimeout(this.#confirmTimer);
    this.#confirmTimer = undefined;
    const controller = this.#controller;
    if (controller === undefined) return;
    if ((controller.desiredSize ?? 0) <= 0) {
      this.#confirmTimer = setTimeout(() => this.#confirmWhenRead(), askAgainMs);
      return;
    }
    this.#unconfirmedBytes = 0;
    this.#socket?.send(confirmation(this.#reached));
  }

  #keepAlive(): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    this.#copies.dropOld(Date.now());
    const waitingBytes = drainedBytes - (controller.desiredSize ?? 0);
    const readBytes = this.#writtenBytes - waitingBytes;
    const isStalled = waitingBytes > drainedBytes && readBytes === this.#readBytes;
    this.#readBytes = readBytes;
    this.#stalls = isStalled ? this.#stalls + 1 : 0;
    if (!isStalled) return this.#write(keepAliveBytes);
    if (this.#stalls < stallsBeforeClose) return;
    // It does not read. Ending the stream frees what waits for it; the object keeps the messages for its return.
    this.#stop();
    controller.error(new Error("the client does not read"));
  }

  /** The client named its session: go on with that one. */
  async #obey({ attach: sessionId }: AttachCommand): Promise<void> {
    // Too late, the client has been given the new session; or it has answered twice.
    if (this.#claimTimer === undefined || this.#isObeying) return;
    const { source, claim } = this.#options;
    this.#isObeying = true;
    const attached = await tryAttach(source, { sessionId, kind: "resumed", after: undefined });
    this.#isObeying = false;
    if (this.#claimTimer === undefined || claim === undefined) return closeQuietly(attached);
    // Not reached this time: the client is asked again.
    if (attached === undefined) return;
    if (attached instanceof Response) return this.#giveNewSession(claim);
    this.#settleClaim();
    const fresh = this.#socket;
    this.#sessionId = sessionId;
    this.#follow(attached);
    fresh?.close(1000, "claimed");
  }

  #giveNewSession({ endpointFrame }: { endpointFrame: string }): void {
    this.#settleClaim();
    this.#writeText(endpointFrame);
  }

  #settleClaim(): void {
    clearInterval(this.#claimTimer);
    this.#claimTimer = undefined;
  }

  /** The object went away: a restart, a new version, a crash. The client's stream stays. */
  async #attachAgain(): Promise<void> {
    this.#socket = undefined;
    const sessionId = this.#sessionId;
    const search = Symbol();
    this.#search = search;
    // A session of which nothing was ever sent may be stored nowhere, and is new to the object once more.
    const isFresh = this.#reached === 0 && sessionId === this.#options.target.sessionId;
    const firstKind = this.#options.target.kind;
    const kind = isFresh ? (firstKind === "new" ? "fresh" : firstKind) : "again";
    // From here on they are the object's again.
    let copies = this.#copies.all();
    this.#copies.clear();
    for (const delayMs of reattachDelaysMs) {
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      // Also if the client has gone meanwhile: it comes back, and asks for what the object may have lost.
      if (!(await this.#giveBack(sessionId, copies))) continue;
      copies = [];
      if (this.#search !== search) return;
      const target: AttachTarget = { sessionId, kind, after: this.#reached };
      const attached = await tryAttach(this.#options.source, target);
      // Its client has gone, or has claimed another session meanwhile.
      if (this.#search !== search) return closeQuietly(attached);
      // The next delay is longer.
      if (attached === undefined) continue;
      if (attached instanceof Response) break;
      return this.#follow(attached);
    }
    if (this.#search === search) this.#end();
  }

  /** Before anything else, the object gets back what it may have lost. False if it cannot be reached. */
  async #giveBack(sessionId: string, packed: Uint8Array[]): Promise<boolean> {
    if (packed.length === 0) return true;
    const given = this.#options.source.giveBack(sessionId, packed);
    return await given.then(
      () => true,
      () => false,
    );
  }

  #writeText(text: string): void {
    this.#write(encoder.encode(text));
  }

  #write(bytes: Uint8Array): void {
    this.#controller?.enqueue(bytes);
    this.#writtenBytes += bytes.byteLength;
  }

  /** Ends the client's stream in order; it may reconnect. */
  #end(): void {
    const controller = this.#controller;
    this.#stop();
    controller?.close();
  }

  /** Lets go of everything. The object learns of it only by an explicit close. */
  #stop(): void {
    this.#controller = undefined;
    this.#search = undefined;
    clearInterval(this.#keepAliveTimer);
    clearTimeout(this.#confirmTimer);
    this.#settleClaim();
    this.#copies.clear();
    this.#options.source.uplink?.close();
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(1000, "the client is gone");
  }
}

/** `undefined` if the object cannot be reached this time. */
async function tryAttach(source: StreamSource, target: AttachTarget): Promise<WebSocket | Response | undefined> {
  const attached = await source.attach(target).catch(() => undefined);
  return attached instanceof Response && attached.status >= 500 ? undefined : attached;
}

function closeQuietly(attached: WebSocket | Response | undefined): void {
  if (attached === undefined || attached instanceof Response) return;
  attached.accept();
  attached.close(1000, "not needed");
}
