import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/server";
import type { Settings } from "../../options.ts";
import type { Clock } from "../clock.ts";
import type { Calls } from "./calls.ts";
import type { ServerRequests } from "./server-requests.ts";
import type { Streams } from "../out/streams.ts";

/** How often running calls are looked after, milliseconds, unless an option is shorter. */
const tickMs = 1_000;

export interface LongCallsOptions {
  clock: Clock;
  calls: Calls;
  serverRequests: ServerRequests;
  streams: Pick<Streams, "presenceOf">;
  settings: Settings;
  serverMessages: {
    emit(message: JSONRPCMessage, relatedRequestId: RequestId): void;
    /** Answers a request of the server in its client's place: it is overdue no longer. */
    refuse(id: RequestId, reason: string): void;
    /** Aborts a call whose client is gone. */
    abandon(requestId: RequestId): void;
  };
}

/**
 * Looks after calls that take long: keeps the object awake, their clients informed, and every wait bounded.
 *
 * Storage: none. Cost: a timer while a call runs that outlived `journalAfterMs`; none otherwise.
 */
export class LongCalls {
  readonly #options: LongCallsOptions;
  readonly #everyMs: number;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: LongCallsOptions) {
    const { progressEveryMs, reconnectGraceMs, maxWaitForClientMs } = options.settings;
    this.#options = options;
    this.#everyMs = Math.min(tickMs, progressEveryMs, reconnectGraceMs, maxWaitForClientMs);
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#tick(this.#options.clock()), this.#everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(nowMs: number): void {
    const { calls, serverRequests, serverMessages, settings } = this.#options;
    if (calls.size === 0) return this.stop();
    for (const { call, params } of calls.takeDueProgress(nowMs, settings.progressEveryMs)) {
      serverMessages.emit({ jsonrpc: "2.0", method: "notifications/progress", params }, call.request.id);
    }
    for (const id of serverRequests.overdue(nowMs)) {
      serverMessages.refuse(id, `The client did not answer within ${settings.maxWaitForClientMs} ms.`);
    }
    this.#abandonLost(nowMs);
  }

  /** A client that does not come back is not coming back: its calls are aborted after the grace. */
  #abandonLost(nowMs: number): void {
    const { calls, serverMessages, streams, settings } = this.#options;
    for (const { request, stream, startedAtMs } of calls.all()) {
      const presence = streams.presenceOf(stream);
      if (presence.is === "here") continue;
      // For a client that this object has not seen, it has waited since it has the call.
      const sinceMs = presence.is === "away" ? presence.sinceMs : startedAtMs;
      if (nowMs - sinceMs >= settings.reconnectGraceMs) serverMessages.abandon(request.id);
    }
  }
}
