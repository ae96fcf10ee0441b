import { networkOf } from "../protocol/network.ts";
import { steadyNow } from "../steady-clock.ts";
import { keepAliveFrame } from "../protocol/sse-frame.ts";
import { utf8 } from "../protocol/utf8.ts";
import type { Changes } from "./changes.ts";

/**
 * How often those who listen are written to before one more is refused: a connection that is gone is reported at the first
 * write, behind the proxy of `wrangler dev` at the second.
 */
const probes = 2;

/** How long the report of a gone connection may take, and how often it is looked for, milliseconds. */
const reportMs = 100;
const lookMs = 10;

/** How often all are written to for that, at most, milliseconds: whoever is refused may come again at once. */
const probeEveryMs = 1_000;

const probeBytes = utf8(keepAliveFrame);

/** One client that listens: what the SDK says to it, passed on. */
class Subscription {
  readonly body: ReadableStream<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly #onOver: () => void;

  constructor(body: ReadableStream<Uint8Array>, onOver: () => void) {
    this.#reader = body.getReader();
    this.#onOver = onOver;
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      pull: () => this.#passOn(),
      cancel: () => this.#stop(),
    });
  }

  probe(): void {
    this.#controller?.enqueue(probeBytes);
  }

  /** In order: its client may listen again. */
  end(): void {
    this.#controller?.close();
    this.#stop();
  }

  async #passOn(): Promise<void> {
    const { done, value } = await this.#reader.read();
    if (done) this.end();
    else this.#controller?.enqueue(value);
  }

  #stop(): void {
    this.#controller = undefined;
    this.#onOver();
    // The SDK counts it no more.
    void this.#reader.cancel();
  }
}

/**
 * The clients of this isolate that listen for changes. The SDK serves and counts them; here one more finds room.
 *
 * Storage: none. Lifetime: the isolate's.
 */
export class Subscriptions {
  readonly #most: number;
  readonly #changes: Changes;
  /** With the network of each. The oldest comes first. */
  readonly #open = new Map<Subscription, string>();
  #probedAtMs = 0;

  constructor(most: number, changes: Changes) {
    this.#most = most;
    this.#changes = changes;
  }

  /** Called before `request` is served: nobody is refused for those who are gone, nor for one client that takes all. */
  async makeRoom(request: Request): Promise<void> {
    if (this.#isFull) await this.#findThoseGone();
    if (this.#isFull) this.#endOneOfTheMost(networkOf(request));
  }

  /** The answer to a client that listens from now on; any other as it is. */
  hold(response: Response, request: Request): Response {
    if (response.body === null || response.headers.get("content-type") !== "text/event-stream") return response;
    const line = this.#changes.listen();
    const subscription = new Subscription(response.body, () => {
      this.#open.delete(subscription);
      line.end();
    });
    this.#open.set(subscription, networkOf(request));
    return new Response(subscription.body, response);
  }

  get #isFull(): boolean {
    return this.#open.size >= this.#most;
  }

  /** A reset is reported at once; a connection that was closed in order, only when something is written to it. */
  async #findThoseGone(): Promise<void> {
    const nowMs = steadyNow();
    if (nowMs - this.#probedAtMs < probeEveryMs) return;
    this.#probedAtMs = nowMs;
    for (let probe = 0; probe < probes && this.#isFull; probe++) {
      for (const subscription of this.#open.keys()) subscription.probe();
      for (let waitedMs = 0; waitedMs < reportMs && this.#isFull; waitedMs += lookMs) {
        await new Promise((resolve) => setTimeout(resolve, lookMs));
      }
    }
  }

  /** The oldest of whoever has the most, if that is more than `network` would have then. */
  #endOneOfTheMost(network: string): void {
    const counts = new Map<string, number>();
    for (const holder of this.#open.values()) counts.set(holder, (counts.get(holder) ?? 0) + 1);
    const most = Math.max(...counts.values());
    if (most <= (counts.get(network) ?? 0) + 1) return;
    for (const [subscription, holder] of this.#open) if (counts.get(holder) === most) return subscription.end();
  }
}
