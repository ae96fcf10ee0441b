import * as link from "../../link/link.ts";
import { type Attachment, attachmentOf } from "./attachment.ts";
import { KeptMessages } from "./kept-messages.ts";
import type { PostStream } from "./post-stream.ts";
import type { Presence } from "./presence.ts";
import { RelaySocket } from "./relay-socket.ts";
import type { MessageKind, SendOutcome, SentMessage } from "./sent-message.ts";

interface Frame {
  stream: string;
  sequence: number;
  packed: Uint8Array;
  kind?: MessageKind;
}

const here: Presence = { is: "here" };
const unknown: Presence = { is: "unknown" };

/**
 * Where the streams of a session end: relays' WebSockets, and the responses to POSTs that are being answered.
 *
 * Storage: the sockets' own attachments, which hold what is in doubt while it is little, and what waits for their clients.
 * Lifetime: sockets survive hibernation, POST responses do not.
 */
export class Streams {
  readonly #ctx: DurableObjectState;
  readonly #maxStreamBacklogBytes: number;
  readonly #kept = new KeptMessages();
  readonly #sockets = new Map<string, RelaySocket>();
  readonly #posts = new Map<string, PostStream>();
  /** The sequence up to which the client of a relay's stream has read, as far as the relay has told. */
  readonly #readUpTo = new Map<string, number>();
  /** Streams that were there, whose client may come back. */
  readonly #away = new Map<string, Presence>();
  /** Whose session it is, as its sockets kept it through hibernation. */
  readonly holder: link.Holder | undefined;

  constructor(ctx: DurableObjectState, maxStreamBacklogBytes: number, nowMs: number) {
    this.#ctx = ctx;
    this.#maxStreamBacklogBytes = maxStreamBacklogBytes;
    for (const socket of ctx.getWebSockets()) {
      const attachment = attachmentOf(socket);
      const { stream, waitsFrom, holder } = attachment;
      this.holder = holder ?? { secret: "", owner: "" };
      if (socket.readyState === WebSocket.OPEN) {
        this.#sockets.set(stream, new RelaySocket(socket, attachment, maxStreamBacklogBytes));
        // While the object slept its client had all the time to read. A sequence number is a clock's.
        this.#readUpTo.set(stream, waitsFrom ?? nowMs * 1_000);
      }
      this.#kept.found(socket);
    }
  }

  /** The messages that sockets kept through hibernation, in order; once. */
  takeKept(): SentMessage[] {
    return this.#kept.take();
  }

  /** Has the session's only socket keep `unsaved`, whose bytes are in memory, and nothing else; false if there is not exactly one. */
  keep(unsaved: SentMessage[]): boolean {
    if (unsaved.length === 0 && !this.#kept.isKeeping) return true;
    const [only, ...others] = this.#sockets.values();
    if (only === undefined || others.length > 0) return false;
    this.#kept.keep(only.socket, unsaved);
    return true;
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

  presenceOf(stream: string): Presence {
    const isHere = this.#sockets.has(stream) || this.#posts.has(stream);
    return isHere ? here : (this.#away.get(stream) ?? unknown);
  }

  /** Whether a message of an attached stream is behind those that its client must read first. */
  isHeldBack({ stream, sequence }: SentMessage): boolean {
    return this.#sockets.get(stream)?.isHeldBack(sequence) === true;
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

  /** Whether there is a stream that the client has opened anew since `openedAtMs`. */
  hasNewer(stream: string, openedAtMs: number): boolean {
    return (this.#sockets.get(stream)?.openedAtMs ?? 0) > openedAtMs;
  }

  /** Whether there is, or was, a stream that the client has opened anew since `openedAtMs`. */
  hadNewer(stream: string, openedAtMs: number): boolean {
    const left = this.#away.get(stream);
    return this.hasNewer(stream, openedAtMs) || (left?.is === "away" && (left.openedAtMs ?? 0) > openedAtMs);
  }

  /** Gives `stream` to `socket`; the newest wins. The socket is accepted for hibernation. */
  attach(
    stream: string,
    socket: WebSocket,
    { openedAtMs, version, holder }: { openedAtMs: number; version: number; holder: link.Holder },
  ): void {
    const attachment: Attachment = { stream, openedAtMs, version, holder };
    this.#ctx.acceptWebSocket(socket, [stream]);
    socket.serializeAttachment(attachment);
    this.#kept.attached(socket);
    // A POST's stream that is resumed: its first connection may be dead without our knowing.
    this.#posts.get(stream)?.end();
    this.#posts.delete(stream);
    const earlier = this.#sockets.get(stream);
    this.#sockets.set(stream, new RelaySocket(socket, attachment, this.#maxStreamBacklogBytes));
    earlier?.close(link.closeCode.superseded, "a newer stream took over");
  }

  /** Forgets a socket that closed; false if its stream has a newer one already. */
  detach(socket: WebSocket, nowMs: number): boolean {
    this.#kept.closed(socket);
    for (const [stream, relay] of this.#sockets) {
      if (relay.socket !== socket) continue;
      this.#sockets.delete(stream);
      this.#away.set(stream, { is: "away", sinceMs: nowMs, openedAtMs: relay.openedAtMs });
      return true;
    }
    return false;
  }

  /** Whether somebody is there to whom a message would go at once. */
  isReadyFor({ stream, bytes }: SentMessage): boolean {
    return this.#posts.get(stream)?.isReady ?? this.#sockets.get(stream)?.mayTake(bytes) === true;
  }

  /** `kind`: of a message; what is none has none. */
  send({ stream, sequence, packed, kind }: Frame): SendOutcome {
    const carrier = this.#posts.get(stream) ?? this.#sockets.get(stream);
    return carrier === undefined ? "gone" : carrier.send(packed, sequence, kind);
  }

  /** Relays need not hold anything up to `sequence` any more. */
  tellKept(sequence: number): void {
    for (const relay of this.#sockets.values()) relay.tellKept(sequence);
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
    this.#readUpTo.set(stream, sequence);
    relay.confirm();
    return stream;
  }

  /** Ends what carries the stream now, or notes that its client ended it. It may come back for the rest. */
  close(stream: string, nowMs: number): void {
    const isLeft = this.presenceOf(stream).is === "here";
    this.#drop(stream);
    if (isLeft) this.#away.set(stream, { is: "away", sinceMs: nowMs });
  }

  /** The stream has nothing more to carry. */
  end(stream: string): void {
    this.#drop(stream);
    this.#away.delete(stream);
  }

  endAll(): void {
    for (const stream of [...this.#posts.keys(), ...this.#sockets.keys()]) this.end(stream);
  }

  #drop(stream: string): void {
    this.#posts.get(stream)?.end();
    this.#posts.delete(stream);
    this.#sockets.get(stream)?.close(link.closeCode.ended, "that is all for now");
    this.#sockets.delete(stream);
  }
}
