import type { RequestId } from "@modelcontextprotocol/server";

/** A request of the server that waits for its client. */
interface ServerRequest {
  stream: string;
  sequence: number;
  deadlineMs: number;
}

/** What a session's server has asked its client and has no answer to yet: elicitation, sampling, roots, ping. */
export class ServerRequests {
  readonly #open = new Map<RequestId, ServerRequest>();
  readonly #maxWaitForClientMs: number;

  constructor(maxWaitForClientMs: number) {
    this.#maxWaitForClientMs = maxWaitForClientMs;
  }

  get open(): ReadonlyMap<RequestId, Readonly<ServerRequest>> {
    return this.#open;
  }

  add(id: RequestId, { stream, sequence, nowMs }: { stream: string; sequence: number; nowMs: number }): void {
    this.#open.set(id, { stream, sequence, deadlineMs: nowMs + this.#maxWaitForClientMs });
  }

  /** The client has answered, or need not any more. Returns where it was asked, if it was. */
  answered(id: RequestId): { stream: string; sequence: number } | undefined {
    const request = this.#open.get(id);
    this.#open.delete(id);
    return request;
  }

  /** Those that have waited too long. */
  overdue(nowMs: number): RequestId[] {
    return [...this.#open].filter(([, { deadlineMs }]) => deadlineMs <= nowMs).map(([id]) => id);
  }
}
