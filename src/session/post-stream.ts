import { keepAliveFrame } from "../protocol/sse-frame.ts";
import { frameOf } from "./link.ts";

/** What became of a message: on its way, waiting for the client to read, or without anybody to take it. */
export type SendOutcome = "sent" | "waiting" | "gone";

/** How often it is asked whether a client has read, while messages wait for that, milliseconds. */
const askAgainMs = 10;

/** Keep-alives since which a client has read nothing of a full stream, before it is closed. */
const stallsBeforeClose = 2;

const encoder = new TextEncoder();

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
  /** Its client is gone, or does not read. */
  onLost: () => void;
}

/**
 * The answer to one POST of Streamable HTTP: JSON if the answer is the only message, else an SSE stream.
 *
 * Storage: none. Lifetime: until the last of its requests is answered. Loses: the connection, with the object or the
 * client; the messages themselves are in the `Outbox` and continue on a GET with `Last-Event-ID`.
 */
export class PostStream {
  readonly name: string;
  /** Resolves as soon as it is known which of the two it is. */
  readonly response: Promise<Response>;
  /** When the client was lost, milliseconds since 1970. */
  lostAtMs: number | undefined;

  readonly #options: PostStreamOptions;
  readonly #resolve: (response: Response) => void;
  /** Responses, as JSON, that came while it could still be JSON as a whole. */
  #held: string[] = [];
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #decided = false;
  /** Runs while messages wait for the client to read. None may overtake them. */
  #waitTimer: ReturnType<typeof setTimeout> | undefined;
  #keepAliveTimer: ReturnType<typeof setInterval> | undefined;
  /** What there was room for at the last keep-alive, bytes, and since how many of them it is as little. */
  #room = 0;
  #stalls = 0;

  constructor(options: PostStreamOptions) {
    this.name = options.name;
    this.#options = options;
    let resolve: (response: Response) => void = () => undefined;
    this.response = new Promise((settle) => (resolve = settle));
    this.#resolve = resolve;
  }

  /** Whether its client was given an id to resume from before anything else. */
  get isResumable(): boolean {
    return this.#options.primingFrame !== undefined;
  }

  /** Takes a response, as JSON, as part of a JSON answer; false if it must go out as an event. */
  holdForJson(json: string): boolean {
    if (this.#decided) return false;
    this.#held.push(json);
    return true;
  }

  /** Makes it an SSE stream, once, and returns what it held: that goes out as events now. */
  startEvents(): string[] {
    if (this.#decided) return [];
    this.#decided = true;
    const body = new ReadableStream<Uint8Array>(
      { start: (controller) => void (this.#controller = controller), cancel: () => this.#lose() },
      new ByteLengthQueuingStrategy({ highWaterMark: this.#options.maxStreamBacklogBytes }),
    );
    this.#keepAliveTimer = setInterval(() => this.#keepAlive(), this.#options.keepAliveMs);
    // A first byte at once: some hops hold the headers back until there is one.
    this.#controller?.enqueue(encoder.encode(this.#options.primingFrame ?? keepAliveFrame));
    this.#resolve(
      new Response(body, {
        headers: {
          "content-type": "text/event-stream",
          "cache-control": "no-cache, no-transform",
          "x-accel-buffering": "no",
          "mcp-session-id": this.#options.sessionId,
        },
      }),
    );
    return this.#held.splice(0);
  }

  /** Whether a message would go out at once. */
  get isReady(): boolean {
    return this.#waitTimer === undefined && (this.#controller?.desiredSize ?? 0) > 0;
  }

  /** Whether some of what was written waits for the client to read. */
  get hasUnread(): boolean {
    const { maxStreamBacklogBytes } = this.#options;
    return (this.#controller?.desiredSize ?? maxStreamBacklogBytes) < maxStreamBacklogBytes;
  }

  send(packed: Uint8Array): SendOutcome {
    if (this.#controller === undefined) return "gone";
    if (!this.isReady) {
      this.#waitTimer ??= setTimeout(() => this.#goOn(), askAgainMs);
      return "waiting";
    }
    this.#controller.enqueue(frameOf(packed));
    return "sent";
  }

  /** Ends the HTTP response: as JSON of what it holds, if that is all. A call that is still running goes on, for a resume. */
  end(): void {
    if (!this.#decided && this.#held.length > 0) return this.#answerAsJson();
    this.startEvents();
    const controller = this.#controller;
    if (controller === undefined) return;
    this.#stop();
    controller.close();
  }

  #answerAsJson(): void {
    this.#decided = true;
    const body = this.#options.batch ? `[${this.#held.join(",")}]` : this.#held[0];
    const headers = { "content-type": "application/json", "mcp-session-id": this.#options.sessionId };
    this.#resolve(new Response(body, { headers }));
  }

  #goOn(): void {
    const isFull = (this.#controller?.desiredSize ?? 0) <= 0;
    this.#waitTimer = isFull ? setTimeout(() => this.#goOn(), askAgainMs) : undefined;
    if (!isFull) this.#options.onRead();
  }

  /** A call may fill the stream in one turn, in which nobody can read: only time tells that a client does not. */
  #keepAlive(): void {
    const controller = this.#controller;
    const room = controller?.desiredSize ?? 0;
    this.#stalls = room <= 0 && room === this.#room ? this.#stalls + 1 : 0;
    this.#room = room;
    if (room > 0) return controller?.enqueue(encoder.encode(keepAliveFrame));
    if (this.#stalls < stallsBeforeClose) return;
    // What waits is in the outbox for a resume; the connection would wait for nothing.
    this.#lose();
    controller?.error(new Error("the client does not read"));
  }

  #lose(): void {
    this.#stop();
    this.#options.onLost();
  }

  #stop(): void {
    this.#controller = undefined;
    this.lostAtMs = Date.now();
    clearInterval(this.#keepAliveTimer);
    clearTimeout(this.#waitTimer);
  }
}
