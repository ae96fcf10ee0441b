import type { Settings } from "../options.ts";
import { eventStreamHeaders, retryFrame } from "../protocol/sse-frame.ts";
import { utf8 } from "../protocol/utf8.ts";
import * as link from "../link/link.ts";
import { ClientStream, drainedBytes } from "../stream/client-stream.ts";
import type { AttachTarget, StreamSource } from "./attach.ts";
import { Claim } from "./claim.ts";
import { HeldFrames } from "./held-frames.ts";
import { attachAgain, leave, leaveQuietly, tryAttach } from "./reattach.ts";

/** What a relay needs for as long as it lives. */
export interface RelayOptions {
  source: StreamSource;
  target: AttachTarget;
  /** The session is new, and the client may have had another: ask it, and give it `endpoint` if it does not answer. */
  claim?: { endpointFrame: (sessionId: string) => string } | undefined;
  /** Whether the client can be told to wait, see `clients.ts`. */
  readsRetry?: boolean;
  settings: Settings;
}

/** How the client is answered. */
export interface RelayResponse {
  /** What it gets first, before anything of the session. */
  preamble: (sessionId: string) => string;
  headers?: Record<string, string>;
}

/**
 * What a client whose stream was taken over waits before it reconnects. It may be a second client of the same session:
 * at the usual `retry` the two would throw each other out several times a second.
 */
const supersededRetryMs = 10_000;

/** What feeds the client's stream. */
type Upstream =
  | { is: "following"; socket: WebSocket }
  /** The object went away: it, or another one in its place, is being attached to. */
  | { is: "searching" }
  | { is: "over" };

/**
 * One client's SSE stream, held by the Worker, fed by a session's object over a WebSocket.
 *
 * It passes bytes on and knows how far they reached. When the object goes away it attaches again and the client sees
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
    const attached = await (target.session === "new" ? source.attach(target) : tryAttach(source, target));
    if (attached instanceof Response) return attached;
    const { sessionId: asked } = options.target;
    const sessionId = source.idOf?.(asked) ?? asked;
    const relay = new StreamRelay({ ...options, target: { ...options.target, sessionId } }, preamble(sessionId));
    if (attached === undefined) void relay.#attachAgain();
    else relay.#follow(attached);
    return new Response(relay.#client.body, { headers: { ...eventStreamHeaders, ...headers } });
  }

  readonly #options: RelayOptions;
  readonly #client: ClientStream;
  readonly #held: HeldFrames;
  readonly #claim: Claim | undefined;
  #sessionId: string;
  #upstream: Upstream = { is: "searching" };
  /** The sequence of the last message written for the client. */
  #reached: number;
  /** Bytes of the object since it was last told that the client reads, counted as it counts them: it waits for that. */
  #unconfirmedBytes = 0;

  private constructor(options: RelayOptions, preamble: string) {
    const { settings, target, claim } = options;
    this.#options = options;
    this.#sessionId = target.sessionId;
    this.#reached = target.position?.after ?? 0;
    this.#held = new HeldFrames(settings.maxOutboxBytes);
    this.#client = new ClientStream({
      keepAliveMs: settings.keepAliveMs,
      stalledAboveBytes: drainedBytes,
      onGone: () => this.#leave(),
    });
    this.#writeText(preamble);
    this.#claim = claim && this.#askForClaim(claim);
  }

  /** Whether nothing waits in the client's stream. */
  get isWritten(): boolean {
    return this.#client.waitingBytes <= 0;
  }

  #askForClaim({ endpointFrame }: { endpointFrame: (sessionId: string) => string }): Claim {
    const freshId = this.#options.target.sessionId;
    return new Claim({
      freshId,
      claimMs: this.#options.settings.claimMs,
      ask: (frame) => this.#writeText(frame),
      giveUp: () => this.#writeText(endpointFrame(freshId)),
    });
  }

  /** Takes `socket` as the source of the stream. */
  #follow(socket: WebSocket): void {
    this.#upstream = { is: "following", socket };
    this.#unconfirmedBytes = 0;
    socket.addEventListener("message", ({ data }) => {
      if (this.#socket !== socket) return;
      if (typeof data === "string") this.#hear(link.parseFromObject(data));
      else if (data instanceof ArrayBuffer) this.#relay(data);
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

  get #socket(): WebSocket | undefined {
    return this.#upstream.is === "following" ? this.#upstream.socket : undefined;
  }

  /** `socket` carries nothing more, for all that is known. It is not closed: one that failed cannot be. */
  #lose(socket: WebSocket, code?: number): void {
    if (this.#socket !== socket) return;
    this.#options.source.uplink?.close();
    if (code === link.closeCode.superseded && this.#options.readsRetry === true) {
      this.#writeText(retryFrame(supersededRetryMs));
    }
    if (code === link.closeCode.ended || code === link.closeCode.superseded) this.#end();
    else void this.#attachAgain();
  }

  #hear(said: link.FromObject | undefined): void {
    switch (said?.is) {
      case "kept":
        return this.#held.release(said.sequence);
      case "receipt":
        return this.#options.source.uplink?.settle(said, this);
      case "attach":
        return void this.#obey(said.sessionId);
      case undefined:
        return link.logUnknown("object");
    }
  }

  #relay(data: ArrayBuffer): void {
    const { sequence, post, isHeld, frame } = link.unpackFrame(new Uint8Array(data));
    this.#client.write(frame);
    if (post !== 0) this.#options.source.uplink?.settle({ sequence: post, isAnswered: true }, this);
    if (isHeld && !this.#held.add(data, sequence)) this.#say({ is: "no-room" });
    this.#reached = Math.max(this.#reached, sequence);
    this.#unconfirmedBytes += data.byteLength;
    if (this.#unconfirmedBytes < this.#options.settings.maxStreamBacklogBytes / 2) return;
    this.#client.whenBelow(drainedBytes, () => this.#confirm());
  }

  /** Tells the object that the client has read what was sent: it may send more. */
  #confirm(): void {
    this.#unconfirmedBytes = 0;
    this.#say({ is: "confirmation", sequence: this.#reached });
  }

  #say(said: link.FromRelay): void {
    this.#socket?.send(link.formatFromRelay(said));
  }

  /** The client named its session: go on with that one. */
  async #obey(sessionId: string): Promise<void> {
    const claim = this.#claim;
    if (claim?.answered() !== true) return;
    const attached = await tryAttach(this.#options.source, { sessionId, session: "stored", position: undefined });
    // Too late: the client has been given the new session, or has gone.
    if (claim.isSettled) return leaveQuietly(this.#options.source, { sessionId, attached });
    if (attached === undefined) return claim.askOn();
    claim.settle();
    if (attached instanceof Response) {
      return this.#writeText(this.#options.claim?.endpointFrame(this.#options.target.sessionId) ?? "");
    }
    const fresh = this.#socket;
    this.#sessionId = sessionId;
    this.#follow(attached);
    fresh?.close(1000, "claimed");
  }

  /** The object went away: a restart, a new version, a crash. The client's stream stays. */
  async #attachAgain(): Promise<void> {
    const sessionId = this.#sessionId;
    const search: Upstream = { is: "searching" };
    this.#upstream = search;
    // A session of which nothing was ever sent may be stored nowhere, and is new to the object once more.
    const first = this.#options.target;
    const isUnstored = this.#reached === 0 && sessionId === first.sessionId && first.session !== "stored";
    // From here on they are the object's again.
    const held = this.#held.all();
    this.#held.clear();
    const found = await attachAgain(this.#options.source, {
      target: {
        sessionId,
        session: isUnstored ? "unstored" : "stored",
        position: { after: this.#reached, saidBy: "relay" },
      },
      held,
      isOver: () => this.#upstream !== search,
    });
    // Its client has gone, or has claimed another session meanwhile.
    if (this.#upstream !== search) return leaveQuietly(this.#options.source, { sessionId, attached: found });
    if (found === undefined) this.#end();
    else this.#follow(found);
  }

  #writeText(text: string): void {
    this.#client.write(utf8(text));
  }

  /** Ends the client's stream in order; it may reconnect. */
  #end(): void {
    this.#socket?.close(1000, "the stream is over");
    this.#stop();
    this.#client.close();
  }

  /** The client has gone. */
  #leave(): void {
    const socket = this.#socket;
    const held = this.#held.all();
    this.#stop();
    if (socket !== undefined) leave(this.#options.source, { sessionId: this.#sessionId, socket, held });
  }

  /** Lets go of everything but the client's stream, and the object's: that learns of it only by an explicit close. */
  #stop(): void {
    this.#upstream = { is: "over" };
    this.#claim?.settle();
    this.#held.clear();
    this.#options.source.uplink?.close();
  }
}
