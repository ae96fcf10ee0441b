import type { JSONRPCRequest, ProgressToken, RequestId } from "@modelcontextprotocol/server";
import { tellCall } from "../../development.ts";
import { isObject } from "../../protocol/json-rpc.ts";
import { traceparentIn } from "../../protocol/trace-context.ts";
import type { CarriedBy } from "../../link/link.ts";

/** A request of the client that is being answered. */
export interface Call {
  readonly request: JSONRPCRequest;
  /** The stream of the session on which its answer goes out. */
  readonly stream: string;
  readonly startedAtMs: number;
  /** As its client sent it: its tool may change what it is given. */
  readonly json: string;
  /** Settles when the call has ended, however. */
  readonly ended: Promise<void>;
  /** The POST that brought this call alone over a WebSocket: the frame of the answer tells the relay that the POST was accepted. */
  readonly post: CarriedBy | undefined;
  /** Whether that frame was sent. */
  isTold: boolean;
  /** The key of the call's row in the journal, once there is one. */
  journalKey: string | undefined;
  /** The trace of its caller. */
  readonly traceparent: string | undefined;
  /** By which the client wants to be told of progress, if it does (revision 2025-11-25, Progress). */
  readonly progressToken: ProgressToken | undefined;
  /** The last progress told, by the tool or by the session: progress always increases. */
  progress: number;
  progressAtMs: number;
}

/** A longer token is only told by the tool itself, UTF-16 units: what goes out again and again is to be small. */
const maxTokenLength = 1_000;

/** What is known of a request beside it. */
interface Opened {
  stream: string;
  post?: CarriedBy | undefined;
  json?: string | undefined;
  traceparent?: string | null | undefined;
}

/**
 * Small enough that a tool which starts to count at any step of its own still increases. Where a float64 is too coarse for
 * it, the next number that there is.
 */
const progressStep = 1e-6;

/**
 * The calls of a session that are running.
 *
 * Storage: none, see `Journal`. Lifetime: each from its POST to its answer. Loses: all, with the object.
 */
export class Calls {
  readonly #running = new Map<RequestId, { call: Call; end: () => void }>();

  get size(): number {
    return this.#running.size;
  }

  /** How long the JSON of all is. */
  get jsonLength(): number {
    let total = 0;
    for (const { call } of this.#running.values()) total += call.json.length;
    return total;
  }

  get(id: RequestId): Call | undefined {
    return this.#running.get(id)?.call;
  }

  all(): Call[] {
    return Array.from(this.#running.values(), ({ call }) => call);
  }

  isStreamBusy(stream: string): boolean {
    for (const { call } of this.#running.values()) if (call.stream === stream) return true;
    return false;
  }

  /** `json`: where there is a text of this request alone. `traceparent`: the header of the request that brought it. */
  open(
    request: JSONRPCRequest,
    { stream, post, json = JSON.stringify(request), traceparent }: Opened,
    nowMs: number,
  ): Call {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const meta = request.params?._meta;
    const call: Call = {
      request,
      stream,
      startedAtMs: nowMs,
      json,
      ended,
      post,
      isTold: false,
      journalKey: undefined,
      traceparent: traceparentIn(meta, traceparent),
      progressToken: isObject(meta) ? meta["progressToken"] : undefined,
      progress: 0,
      progressAtMs: nowMs,
    };
    this.#running.set(request.id, { call, end });
    tellCall("started", call);
    return call;
  }

  /** Undefined if it had ended already. */
  close(id: RequestId): Call | undefined {
    const running = this.#running.get(id);
    if (running === undefined) return undefined;
    this.#running.delete(id);
    const { call, end } = running;
    end();
    tellCall("ended", call);
    return call;
  }

  /** Notes what the tool itself told, so that the session never tells less. Returns the call of which it told. */
  noteProgress(token: unknown, progress: unknown, nowMs: number): Call | undefined {
    if (token === undefined) return undefined;
    let told: Call | undefined;
    for (const { call } of this.#running.values()) {
      if (call.progressToken === undefined || call.progressToken !== token) continue;
      told = call;
      call.progressAtMs = nowMs;
      if (typeof progress === "number") call.progress = Math.max(call.progress, progress);
    }
    return told;
  }

  /** The progress to tell for calls whose tools have been silent: the client's own timeout must not end them. */
  takeDueProgress(nowMs: number, everyMs: number): { call: Call; params: Record<string, unknown> }[] {
    const due: { call: Call; params: Record<string, unknown> }[] = [];
    for (const { call } of this.#running.values()) {
      if (call.progressToken === undefined || nowMs - call.progressAtMs < everyMs) continue;
      if (String(call.progressToken).length > maxTokenLength) continue;
      call.progressAtMs = nowMs;
      call.progress += Math.max(progressStep, call.progress * 2 * Number.EPSILON);
      const seconds = Math.round((nowMs - call.startedAtMs) / 1_000);
      const params = {
        progressToken: call.progressToken,
        progress: call.progress,
        message: `Running for ${seconds} s`,
      };
      due.push({ call, params });
    }
    return due;
  }
}

/** The request of a call as its client sent it, to be written down. */
export function sentIn({ json }: Call): JSONRPCRequest {
  return JSON.parse(json) as JSONRPCRequest;
}
