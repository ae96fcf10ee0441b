import { keepAliveFrame } from "../protocol/sse-frame.ts";
import { frameOf } from "./link.ts";

const encoder = new TextEncoder();

export interface PostStreamOptions {
  /** Its name among the streams of the session. */
  name: string;
  /** How many responses will end it. */
  requestCount: number;
  /** A batch is answered by an array (revision 2025-03-26, Sending Messages). */
  batch: boolean;
  sessionId: string;
  maxStreamBacklogBytes: number;
  /** The first event, for clients whose revision knows it; `undefined` for the others. */
  primingFrame: string | undefined;
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
    if (this.#held.length === this.#options.requestCount) {
      this.#decided = true;
      const body = this.#options.batch ? `[${this.#held.join(",")}]` : this.#held[0];
      const headers = { "content-type": "application/json", "mcp-session-id": this.#options.sessionId };
      this.#resolve(new Response(body, { headers }));
    }
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
    // A first byte at once: some hops hold the headers back until there is one.
    this.#write(encoder.encode(this.#options.primingFrame ?? keepAliveFrame));
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

  /** False if nobody is there to read it. */
  send(packed: Uint8Array): boolean {
    return this.#write(frameOf(packed));
  }

  keepAlive(): void {
    this.#write(encoder.encode(keepAliveFrame));
  }

  /** Ends the HTTP response. A call that is still running goes on, for a resume. */
  end(): void {
    if (!this.#decided) this.startEvents();
    const controller = this.#controller;
    this.#controller = undefined;
    if (controller === undefined) return;
    this.lostAtMs = Date.now();
    controller.close();
  }

  #write(bytes: Uint8Array): boolean {
    const controller = this.#controller;
    if (controller === undefined) return false;
    if ((controller.desiredSize ?? 0) <= 0) {
      // Its client does not read. What comes now waits in the outbox for a resume, and the connection for nothing.
      this.#lose();
      controller.error(new Error("the client does not read"));
      return false;
    }
    controller.enqueue(bytes);
    return true;
  }

  #lose(): void {
    this.#controller = undefined;
    this.lostAtMs = Date.now();
  }
}
