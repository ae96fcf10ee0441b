import * as link from "../../link/link.ts";
import type { SentMessage } from "./sent-message.ts";
import type { PostStream, SendOutcome } from "./post-stream.ts";

/** What a relay's WebSocket carries, kept with it through hibernation. */
interface Attachment {
  stream: string;
  /** When its client opened it, milliseconds since 1970. */
  openedAtMs: number;
  /** Messages handed to it that may not have arrived, while they are few. */
  inDoubt?: (Omit<SentMessage, "packed" | "bytes"> & { packed: Uint8Array })[];
  /** The link's, of its relay; absent: 1. */
  version?: number;
  /** See `RelaySocket`. */
  waitsFrom?: number | undefined;
  /** Whose session it is: before its first message nothing else of it is kept. Absent: of the release before. */
  holder?: link.Holder;
}

/** What an attachment may hold of messages, bytes. The platform's limit is 16,384 for all of it. */
export const maxAttachedBytes = 14_000;

/** A relay's WebSocket, and how far ahead of its client we are. */
interface RelaySocket {
  socket: WebSocket;
  openedAtMs: number;
  /** The link's. */
  version: number;
  /** Bytes sent since the relay last confirmed. After hibernation 0: it had all the time to read. */
  unconfirmedBytes: number;
  /** The sequence of the first message that waits for a confirmation, if one does. None may overtake it. */
  waitsFrom: number | undefined;
}

/**
 * Where the streams of a session end: relays' WebSockets, and the responses to POSTs that are being answered.
 *
 * Storage: the sockets' own attachments, which hold what is in doubt while it is little, and what waits for their clients.
 * Lifetime: sockets survive hibernation, POST responses do not.
 */
export class Streams {
  readonly #ctx: DurableObjectState;
  readonly #maxStreamBacklogBytes: number;
  readonly #sockets = new Map<string, RelaySocket>();
  readonly #posts = new Map<string, PostStream>();
  /** The sequence up to which the client of a relay's stream has read, as far as the relay has told. */
  readonly #readUpTo = new Map<string, number>();
  readonly #lostAtMs = new Map<string, number>();
  readonly #kept: SentMessage[] = [];
  /** Sockets whose messages are in memory: what they kept is older than that. */
  readonly #known = new WeakSet<WebSocket>();
  #isKeeping = false;
  /** Whose session it is, as its sockets kept it through hibernation. */
  readonly holder: link.Holder | undefined;
  readonly #bootedAtMs: number;

  constructor(ctx: DurableObjectState, maxStreamBacklogBytes: number, nowMs: number) {
    this.#ctx = ctx;
    this.#maxStreamBacklogBytes = maxStreamBacklogBytes;
    this.#bootedAtMs = nowMs;
    for (const socket of ctx.getWebSockets()) {
      const {
        stream,
        openedAtMs,
        version = 1,
        inDoubt = [],
        waitsFrom,
        holder = { secret: "", owner: "" },
      } = attachmentOf(socket);
      this.holder = holder;
      if (socket.readyState === WebSocket.OPEN) {
        this.#sockets.set(stream, { socket, openedAtMs, version, unconfirmedBytes: 0, waitsFrom });
        // While the object slept it had all the time to read. A sequence number is a clock's.
        this.#readUpTo.set(stream, waitsFrom ?? nowMs * 1_000);
      }
      this.#noteKept(inDoubt);
      this.#known.add(socket);
      this.#isKeeping ||= inDoubt.length > 0;
    }
  }

  /** What sockets kept through hibernation, in order; once. */
  takeKept(): SentMessage[] {
    return this.#kept.splice(0).sort((a, b) => a.sequence - b.sequence);
  }

  /** Has the session's only socket keep `unsaved`, whose bytes are in memory, and nothing else; false if there is not exactly one. */
  keep(unsaved: SentMessage[]): boolean {
    if (unsaved.length === 0 && !this.#isKeeping) return true;
    const [only, ...others] = this.#sockets;
    if (only === undefined || others.length > 0) return false;
    const [, { socket }] = only;
    const inDoubt = unsaved.map((message) => ({
      ...message,
      packed: link.plainFrame(message.packed ?? new Uint8Array()),
    }));
    socket.serializeAttachment({ ...attachmentOf(socket), inDoubt } satisfies Attachment);
    this.#isKeeping = inDoubt.length > 0;
    return true;
  }

  #noteKept(inDoubt: NonNullable<Attachment["inDoubt"]>): void {
    for (const message of inDoubt) {
      const packed = link.packedAgain(message.packed);
      this.#kept.push({ ...message, packed, bytes: packed.byteLength });
    }
  }

  /** Whether a client listens on any stream. */
  get hasSocket(): boolean {
    return this.#sockets.size > 0;
  }

  /** Whether the answer to a POST waits for its client to read. */
  get hasUnread(): boolean {
    return Array.from(this.#posts.values()).some(({ hasUnread }) => hasUnread);
  }

  isAttached(stream: string): boolean {
    return this.#sockets.has(stream);
  }

  /** Whether it is `socket` that carries `stream` now. */
  isOn(stream: string, socket: WebSocket): boolean {
    return this.#sockets.get(stream)?.socket === socket;
  }

  /** The streams on which a client listens. */
  get attached(): Iterable<string> {
    return this.#sockets.keys();
  }

  /** Whether a message of an attached stream is behind those that its client must read first. */
  isHeldBack({ stream, sequence }: SentMessage): boolean {
    return sequence >= (this.#sockets.get(stream)?.waitsFrom ?? Infinity);
  }

  post(stream: string): PostStream | undefined {
    return this.#posts.get(stream);
  }

  /** How long all is that is held for JSON answers, UTF-16 units. */
  get heldLength(): number {
    let total = 0;
    for (const post of this.#posts.values()) total += post.heldLength;
    return total;
  }

  addPost(post: PostStream): void {
    this.#posts.set(post.name, post);
  }

  /** Since when nobody is there for `stream`, milliseconds since 1970; `undefined` while somebody is. */
  lostAtMs(stream: string): number | undefined {
    const isThere = this.#sockets.has(stream) || this.#posts.has(stream);
    return this.noticedAtMs(stream) ?? (isThere ? undefined : this.#bootedAtMs);
  }

  /**
   * Likewise, but `undefined` also if nobody noticed, as while this object was not in memory: its client may have been
   * away for much longer than the object has been back.
   */
  noticedAtMs(stream: string): number | undefined {
    if (this.#sockets.has(stream)) return undefined;
    return this.#posts.get(stream)?.lostAtMs ?? this.#lostAtMs.get(stream);
  }

  /** Whether the client has opened this stream anew since `openedAtMs`. */
  hasNewer(stream: string, openedAtMs: number): boolean {
    return (this.#sockets.get(stream)?.openedAtMs ?? 0) > openedAtMs;
  }

  /** Gives `stream` to `socket`; the newest wins. The socket is accepted for hibernation. */
  attach(
    stream: string,
    socket: WebSocket,
    { openedAtMs, version, holder }: { openedAtMs: number; version: number; holder: link.Holder },
  ): void {
    this.#ctx.acceptWebSocket(socket, [stream]);
    socket.serializeAttachment({ stream, openedAtMs, version, holder } satisfies Attachment);
    this.#known.add(socket);
    // A POST's stream that is resumed: its first connection may be dead without our knowing.
    this.#posts.get(stream)?.end();
    this.#posts.delete(stream);
    const earlier = this.#sockets.get(stream)?.socket;
    this.#sockets.set(stream, { socket, openedAtMs, version, unconfirmedBytes: 0, waitsFrom: undefined });
    earlier?.close(link.closeCode.superseded, "a newer stream took over");
  }

  /** Forgets a socket that closed; false if its stream has a newer one already. */
  detach(socket: WebSocket, nowMs: number): boolean {
    const { stream, inDoubt = [] } = attachmentOf(socket);
    // If the close woke the object, nobody else has what the socket kept.
    if (!this.#known.has(socket)) this.#noteKept(inDoubt);
    if (this.#sockets.get(stream)?.socket !== socket) return false;
    this.#sockets.delete(stream);
    this.#lostAtMs.set(stream, nowMs);
    return true;
  }

  /** Whether somebody is there to whom a message would go at once. */
  isReadyFor({ stream, bytes }: SentMessage): boolean {
    const post = this.#posts.get(stream);
    if (post !== undefined) return post.isReady;
    const relay = this.#sockets.get(stream);
    return relay !== undefined && this.#mayTake(relay, bytes);
  }

  /** A relay confirms when half of the bound is unconfirmed; below that it says nothing, and need not be waited for. */
  #mayTake({ waitsFrom, unconfirmedBytes }: RelaySocket, bytes: number): boolean {
    const isTooFarAhead =
      unconfirmedBytes >= this.#maxStreamBacklogBytes / 2 && unconfirmedBytes + bytes > this.#maxStreamBacklogBytes;
    return waitsFrom === undefined && !isTooFarAhead;
  }

  send({ stream, sequence, packed }: { stream: string; sequence: number; packed: Uint8Array }): SendOutcome {
    const post = this.#posts.get(stream);
    if (post !== undefined) return post.send(packed, sequence);
    const relay = this.#sockets.get(stream);
    if (relay === undefined) return "gone";
    if (!this.#mayTake(relay, packed.byteLength)) {
      if (relay.waitsFrom === undefined) this.#waitFrom(relay, sequence);
      return "waiting";
    }
    try {
      const sent = link.frameFor(relay.version, packed);
      relay.socket.send(sent);
      // As its relay counts it: one that has fewer would not confirm when this waits for it.
      relay.unconfirmedBytes += sent.byteLength;
      return "sent";
    } catch {
      // Its relay is gone and the close event is on its way: the message waits in the outbox.
      return "gone";
    }
  }

  /** Relays need not hold answers up to `sequence` any more. */
  tellKept(sequence: number): void {
    for (const { socket, version } of this.#sockets.values()) {
      if (!link.hearsKept(version)) continue;
      try {
        socket.send(link.formatFromObject({ is: "kept", sequence }));
      } catch {
        // Its relay is gone, and what it held with it.
      }
    }
  }

  /** Whether the client is known to have read a message that was handed over: what wrote it has nothing of it left. */
  hasRead({ stream, sequence }: SentMessage): boolean {
    return this.#posts.get(stream)?.hasRead(sequence) ?? sequence <= (this.#readUpTo.get(stream) ?? 0);
  }

  /** The client of this socket has read all up to `sequence`. Returns the stream, if messages may wait for that. */
  confirm(socket: WebSocket, sequence: number): string | undefined {
    const { stream } = attachmentOf(socket);
    const relay = this.#sockets.get(stream);
    if (relay?.socket !== socket) return undefined;
    relay.unconfirmedBytes = 0;
    this.#readUpTo.set(stream, sequence);
    if (relay.waitsFrom !== undefined) this.#waitFrom(relay, undefined);
    return stream;
  }

  /** Also through hibernation: the client may still not have read when the object is back. */
  #waitFrom(relay: RelaySocket, waitsFrom: number | undefined): void {
    relay.waitsFrom = waitsFrom;
    relay.socket.serializeAttachment({ ...attachmentOf(relay.socket), waitsFrom } satisfies Attachment);
  }

  /** Ends what carries the stream now. Its client may come back for the rest. */
  close(stream: string, nowMs: number): void {
    const lostAtMs = this.lostAtMs(stream) ?? nowMs;
    this.#posts.get(stream)?.end();
    this.#posts.delete(stream);
    this.#sockets.get(stream)?.socket.close(link.closeCode.ended, "that is all for now");
    this.#sockets.delete(stream);
    this.#lostAtMs.set(stream, lostAtMs);
  }

  /** The stream has nothing more to carry. */
  end(stream: string): void {
    this.close(stream, 0);
    this.#lostAtMs.delete(stream);
  }

  endAll(): void {
    for (const stream of [...this.#posts.keys(), ...this.#sockets.keys()]) this.end(stream);
  }
}

function attachmentOf(socket: WebSocket): Attachment {
  return socket.deserializeAttachment() as Attachment;
}
