import { keepAliveFrame } from "../protocol/sse-frame.ts";
import { utf8 } from "../protocol/utf8.ts";

/** A client that has no more than this before it has read what was sent, bytes. */
export const drainedBytes = 64 * 1024;

/**
 * What may wait for all slow clients of one isolate together, bytes: a quarter of what it may take. Above that those who
 * have waited longest are let go; they can resume.
 */
const maxWaitingBytes = 32 * 1024 * 1024;

/** How much is written to slow clients before all of them are counted again, bytes. */
const countEveryBytes = 1024 * 1024;

/** Keep-alives at which a client has read nothing of what waits, before its stream is closed. */
const stallsBeforeClose = 2;

/** How long until it is asked again whether a client has read, at first and at most, milliseconds. */
const [firstAskMs, longestAskMs] = [1, 16];

/** One for all: each `ByteLengthQueuingStrategy` would make a function of its own, larger than all that a stream remembers. */
const byteLengths: QueuingStrategy<Uint8Array> = {
  highWaterMark: drainedBytes,
  size: ({ byteLength }) => byteLength,
};

/**
 * The clients of this isolate that have more waiting than `drainedBytes`, those first who have for longest, and how each is
 * let go. A stream may only be touched in its own request, which resolving a promise of it leads to.
 */
const slow = new Map<ClientStream, () => void>();
let uncountedBytes = 0;

/** The same bytes for all: thousands of quiet streams are written this every few seconds. */
const keepAliveBytes = utf8(keepAliveFrame);

export interface ClientStreamOptions {
  keepAliveMs: number;
  /** With more than this waiting, a client that reads nothing has its stream closed, bytes. */
  stalledAboveBytes: number;
  /** The client has left, or does not read. Not called after `close`. */
  onGone: () => void;
}

type Controller = ReadableStreamDefaultController<Uint8Array>;

type ClientState =
  | { is: "open"; controller: Controller }
  /** Nothing more is written. What was waits for the client to read it, and counts as before. */
  | { is: "closed"; controller: Controller }
  /** Somebody waits for the client to read, and asks again and again whether it has. */
  | { is: "awaited"; controller: Controller; askTimer: ReturnType<typeof setTimeout> }
  | { is: "over" };

const over: ClientState = { is: "over" };

/**
 * One client's SSE response: what is written to it, the keep-alive comments between, and whether its client reads.
 *
 * Storage: none. Lifetime: the client's connection. Loses: what lies in its queue when the client goes.
 */
export class ClientStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #options: ClientStreamOptions;
  #state: ClientState = over;
  readonly #keepAliveTimer: ReturnType<typeof setInterval>;
  /** Bytes written in all. */
  #writtenBytes = 0;
  /** How many of them the client had read at the last keep-alive. */
  #readBefore = 0;
  /** Keep-alives in a row since which it has read nothing of what waits. */
  #stalls = 0;

  constructor(options: ClientStreamOptions) {
    this.#options = options;
    this.body = new ReadableStream<Uint8Array>(
      { start: (controller) => void (this.#state = { is: "open", controller }), cancel: () => void this.#lose() },
      byteLengths,
    );
    this.#keepAliveTimer = setInterval(() => this.#keepAlive(), options.keepAliveMs);
  }

  /** What was written and waits for the client to read it. */
  get waitingBytes(): number {
    return this.#state.is === "over" ? 0 : drainedBytes - (this.#state.controller.desiredSize ?? 0);
  }

  /** How much of what was written the client has read. */
  get readBytes(): number {
    return this.#writtenBytes - this.waitingBytes;
  }

  /** Whether somebody waits for the client to read, see {@linkcode whenBelow}. */
  get isAwaited(): boolean {
    return this.#state.is === "awaited";
  }

  /** In pieces: what the runtime has taken to write it out counts no more, and that is one of them. */
  write(bytes: Uint8Array): void {
    const state = this.#state;
    if (state.is === "over" || state.is === "closed") return;
    for (let at = 0; at < bytes.byteLength; at += drainedBytes) {
      state.controller.enqueue(bytes.subarray(at, at + drainedBytes));
    }
    this.#writtenBytes += bytes.byteLength;
    if (this.waitingBytes > drainedBytes) this.#noteSlow(bytes.byteLength);
  }

  #noteSlow(bytes: number): void {
    if (!slow.has(this)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      slow.set(this, resolve);
      void promise.then(() => this.breakOff());
    }
    uncountedBytes += bytes;
    if (uncountedBytes >= countEveryBytes) boundWaiting();
  }

  /**
   * Calls `then` as soon as less than `bytes` wait; of two waits the later takes the place of the earlier. Asked again and
   * again rather than told by the stream's `pull`, which would cost every small message something.
   */
  whenBelow(bytes: number, then: () => void, askMs = firstAskMs): void {
    const controller = this.#stopAsking();
    if (controller === undefined) return;
    if (this.waitingBytes < bytes) return then();
    const nextAskMs = Math.min(2 * askMs, longestAskMs);
    const askTimer = setTimeout(() => this.whenBelow(bytes, then, nextAskMs), askMs);
    this.#state = { is: "awaited", controller, askTimer };
  }

  /** Nobody waits for the client any more. Returns what writes to it, if anything does. */
  #stopAsking(): Controller | undefined {
    if (this.#state.is === "over" || this.#state.is === "closed") return undefined;
    const { controller } = this.#state;
    if (this.#state.is === "awaited") {
      clearTimeout(this.#state.askTimer);
      this.#state = { is: "open", controller };
    }
    return controller;
  }

  /** Ends the response in order. */
  close(): void {
    const controller = this.#stopAsking();
    if (controller === undefined) return;
    clearInterval(this.#keepAliveTimer);
    this.#state = { is: "closed", controller };
    controller.close();
  }

  #keepAlive(): void {
    const { readBytes } = this;
    const isStalled = this.waitingBytes > this.#options.stalledAboveBytes && readBytes === this.#readBefore;
    this.#readBefore = readBytes;
    this.#stalls = isStalled ? this.#stalls + 1 : 0;
    if (!isStalled) return this.write(keepAliveBytes);
    if (this.#stalls >= stallsBeforeClose) this.breakOff();
  }

  /** Frees what waits for a client that does not read. Who wrote the messages keeps them for its return. */
  breakOff(): void {
    const closed = this.#state.is === "closed" ? this.#state.controller : undefined;
    const controller = this.#lose() ?? closed;
    controller?.error(new Error("the client does not read"));
  }

  #lose(): Controller | undefined {
    const controller = this.#stop();
    if (controller !== undefined) this.#options.onGone();
    return controller;
  }

  /** Writes nothing more. Returns what wrote, the first time. */
  #stop(): Controller | undefined {
    const controller = this.#stopAsking();
    slow.delete(this);
    this.#state = over;
    clearInterval(this.#keepAliveTimer);
    return controller;
  }
}

function boundWaiting(): void {
  uncountedBytes = 0;
  let totalBytes = 0;
  for (const stream of slow.keys()) {
    if (stream.waitingBytes > drainedBytes) totalBytes += stream.waitingBytes;
    else slow.delete(stream);
  }
  for (const [stream, letGo] of slow) {
    if (totalBytes <= maxWaitingBytes) return;
    totalBytes -= stream.waitingBytes;
    slow.delete(stream);
    letGo();
  }
}
