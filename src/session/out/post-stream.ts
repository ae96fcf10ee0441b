import { eventStreamHeaders, keepAliveFrame } from "../../protocol/sse-frame.ts";
import { utf8 } from "../../protocol/utf8.ts";
import { ClientStream } from "../../stream/client-stream.ts";
import { frameOf } from "../../link/link.ts";
import type { SendOutcome } from "./sent-message.ts";

export interface PostStreamOptions {
  /** Its name among the streams of the session. */
  name: string;
  /** A batch is answered by an array (revision 2025-03-26, Sending Messages). */
  batch: boolean;
  sessionId: string;
  /** What may wait in it for its client to read. The rest waits in the outbox. */
  maxStreamBacklogBytes: number;
  keepAliveMs: number;
  /** The first event, for clients whose revision knows it; `undefined` for the others. */
  primingFrame: string | undefined;
  /** Its client has read: what waited for that can go on. */
  onRead: () => void;
  /** Its client is gone, or does not read: the answer is over. */
  onLost: () => void;
}

type Answer =
  /** It may still be JSON as a whole: `held` are the responses so far, as JSON. */
  { is: "undecided"; held: string[] } | { is: "events"; client: ClientStream } | { is: "over" };

/**
 * The answer to one POST of Streamable HTTP: JSON if the answer is the only message, else an SSE stream.
 *
 * Storage: none. Lifetime: until the last of its requests is answered. Loses: the connection, with the object or the
 * client; the messages themselves are in the `Outbox` and continue on a GET with `Last-Event-ID`.
 */
export class PostStream {
  readonly name: string;
  /** Resolves as soon as it is known whether the answer is JSON or a stream. */
  readonly response: Promise<Response>;

  readonly #options: PostStreamOptions;
  readonly #resolve: (response: Response) => void;
  #answer: Answer = { is: "undecided", held: [] };
  /** What was sent and not read when that was last asked, in order. */
  readonly #unread: { sequence: number; untilReadBytes: number }[] = [];
  #readUpTo = 0;

  constructor(options: PostStreamOptions) {
    this.name = options.name;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<Response>();
    this.response = promise;
    this.#resolve = resolve;
  }

  /** Whether its client was given an id to resume from before anything else. */
  get isResumable(): boolean {
    return this.#options.primingFrame !== undefined;
  }

  /** Length of the responses that are held for a JSON answer, UTF-16 units. */
  get heldLength(): number {
    return this.#answer.is === "undecided" ? this.#answer.held.reduce((total, { length }) => total + length, 0) : 0;
  }

  /** Takes a response, as JSON, as part of a JSON answer; false if it must go out as an event. */
  holdForJson(json: string): boolean {
    if (this.#answer.is !== "undecided") return false;
    this.#answer.held.push(json);
    return true;
  }

  /** Makes it an SSE stream, once, and returns what it held: that goes out as events now. */
  startEvents(): string[] {
    if (this.#answer.is !== "undecided") return [];
    const { held } = this.#answer;
    const { keepAliveMs, maxStreamBacklogBytes, primingFrame, sessionId, onLost } = this.#options;
    const client = new ClientStream({
      keepAliveMs,
      // A call may fill the stream in one turn, in which nobody can read.
      stalledAboveBytes: maxStreamBacklogBytes,
      onGone: () => {
        this.#answer = { is: "over" };
        onLost();
      },
    });
    this.#answer = { is: "events", client };
    // A first byte at once: some hops hold the headers back until there is one.
    client.write(utf8(primingFrame ?? keepAliveFrame));
    this.#resolve(new Response(client.body, { headers: { ...eventStreamHeaders, "mcp-session-id": sessionId } }));
    return held;
  }

  /** Whether a message would go out at once: none may overtake those that wait for the client to read. */
  get isReady(): boolean {
    if (this.#answer.is !== "events") return false;
    const { client } = this.#answer;
    return !client.isAwaited && client.waitingBytes < this.#options.maxStreamBacklogBytes;
  }

  /** Whether some of what was written waits for the client to read. */
  get hasUnread(): boolean {
    return this.#answer.is === "events" && this.#answer.client.waitingBytes > 0;
  }

  send(packed: Uint8Array, sequence: number): SendOutcome {
    if (this.#answer.is !== "events") return "gone";
    const { client } = this.#answer;
    if (!this.isReady) {
      if (!client.isAwaited) client.whenBelow(this.#options.maxStreamBacklogBytes, () => this.#options.onRead());
      return "waiting";
    }
    client.write(frameOf(packed));
    this.#unread.push({ sequence, untilReadBytes: client.readBytes + client.waitingBytes });
    return "sent";
  }

  /** Whether the client has read a message that was sent here; once it is over, whether it had when that was last asked. */
  hasRead(sequence: number): boolean {
    const readBytes = this.#answer.is === "events" ? this.#answer.client.readBytes : 0;
    for (let [first] = this.#unread; first !== undefined && first.untilReadBytes <= readBytes; [first] = this.#unread) {
      this.#unread.shift();
      this.#readUpTo = first.sequence;
    }
    return sequence <= this.#readUpTo;
  }

  /** Ends the HTTP response: as JSON of what it holds, if that is all. A call that is still running goes on, for a resume. */
  end(): void {
    if (this.#answer.is === "undecided" && this.#answer.held.length > 0) return this.#answerAsJson(this.#answer.held);
    this.startEvents();
    if (this.#answer.is !== "events") return;
    const { client } = this.#answer;
    this.#answer = { is: "over" };
    client.close();
  }

  #answerAsJson(held: string[]): void {
    this.#answer = { is: "over" };
    const body = this.#options.batch ? `[${held.join(",")}]` : held[0];
    const headers = { "content-type": "application/json", "mcp-session-id": this.#options.sessionId };
    this.#resolve(new Response(body, { headers }));
  }
}
