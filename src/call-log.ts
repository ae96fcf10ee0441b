import type { JSONRPCRequest } from "@modelcontextprotocol/server";
import { isObject } from "./protocol/json-rpc.ts";
import type { Call } from "./session/calls/calls.ts";

/** How a call ended, as the log says it: `failed` is a tool's own result `isError`, `error` one of JSON-RPC. */
export type CallOutcome = "ok" | "failed" | "error" | "cancelled" | "abandoned" | "interrupted";

/** How long a line may wait, milliseconds: no longer than the object stays awake after a call anyway. */
const logAfterMs = 50;

/** What a client calls something is as long as the client likes: no more of it is logged, UTF-16 units. */
const maxNameLength = 200;

/**
 * One line in the log for each call, whatever became of it. The lines of a moment are written together: the answer is on
 * its way through this process meanwhile, and should not wait for them.
 *
 * Storage: none. Loses: the lines of the last moment, if the object crashes.
 */
export class CallLog {
  readonly #sessionId: string;
  readonly #waitUntil: (written: Promise<void>) => void;
  #lines: string[] = [];

  /** `waitUntil` keeps the request open in which a line is due: the platform drops what is logged after its end. */
  constructor(sessionId: string, waitUntil: (written: Promise<void>) => void) {
    this.#sessionId = sessionId;
    this.#waitUntil = waitUntil;
  }

  /** `clientInfo`: what the client says it is. */
  add({ request, startedAtMs, stream }: Call, outcome: CallOutcome, clientInfo?: unknown): void {
    // Enough of the id to tell sessions apart, too little to enter one.
    const session = this.#sessionId.slice(0, 8);
    if (this.#lines.length === 0) this.#waitUntil(this.#writeSoon());
    this.#lines.push(callLine({ request, startedAtMs, outcome, clientInfo, session, stream }));
  }

  async #writeSoon(): Promise<void> {
    await scheduler.wait(logAfterMs);
    for (const line of this.#lines.splice(0)) console.log(line);
  }
}

interface CallEnd {
  request: JSONRPCRequest;
  startedAtMs: number;
  outcome: CallOutcome;
  clientInfo: unknown;
  /** Absent in the stateless revision, as is `stream`. */
  session?: string;
  stream?: string;
}

/** The line of one call, in every lane the same. */
export function callLine({ request, startedAtMs, outcome, clientInfo, session, stream }: CallEnd): string {
  const { method, params } = request;
  const name = shortened(params?.["name"] ?? params?.["uri"]);
  const { name: client, version } = isObject(clientInfo) ? clientInfo : {};
  const by = shortened(typeof version === "string" ? `${String(client)} ${version}` : client);
  const ms = Date.now() - startedAtMs;
  return JSON.stringify({ event: "call", session, method: shortened(method), name, outcome, ms, stream, client: by });
}

/** `ok`, `failed` or `error`. */
export function outcomeOf(answer: object): CallOutcome {
  if ("error" in answer) return "error";
  return "result" in answer && isObject(answer.result) && answer.result["isError"] === true ? "failed" : "ok";
}

/** `undefined` for what is no name. */
function shortened(name: unknown): string | undefined {
  return typeof name === "string" ? name.slice(0, maxNameLength) : undefined;
}
