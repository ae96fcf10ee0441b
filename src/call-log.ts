import type { JSONRPCRequest } from "@modelcontextprotocol/server";
import { isObject } from "./protocol/json-rpc.ts";
import { loggedName } from "./protocol/logged-name.ts";
import { redacted } from "./protocol/redacted.ts";
import { shortHash } from "./protocol/hash.ts";

/** How a call ended, as the log says it: `failed` is a tool's own result `isError`, `error` one of JSON-RPC. */
export type CallOutcome = "ok" | "failed" | "error" | "cancelled" | "abandoned" | "interrupted";

/** Which way a call came. */
export type CallLane = "sse" | "mcp" | "stateless" | "stdio";

/** How long a line may wait, milliseconds: no longer than the object stays awake after a call anyway. */
const logAfterMs = 50;

/** Members of a request's `params` by which a client hands something over: to tools, prompts and completions, and answers. */
const contents = ["arguments", "argument", "context", "inputResponses", "requestState"];

/** One call that is over. */
export interface CallEnd {
  request: JSONRPCRequest;
  startedAtMs: number;
  outcome: CallOutcome;
  lane: CallLane;
  /** Which the client speaks; absent if it never said so. */
  revision?: unknown;
  /** What the client says it is. */
  clientInfo?: unknown;
  /** The answer, if there was one. */
  answer?: object | undefined;
  traceparent?: string | undefined;
  /** The stream of the session; absent where there are none. */
  stream?: string | undefined;
}

/** Whose calls they are, as the log may say it: hashes. */
export interface Whose {
  session?: string | undefined;
  user?: string | undefined;
}

type Entry = { event: string } & Record<string, unknown>;

/** What became of a session. `by`: how its client found back to it, or what ended it. */
export type SessionEvent =
  | { event: "session-opened"; lane: CallLane; revision: unknown; client: string | undefined }
  | { event: "session-resumed"; lane: CallLane; by: "Last-Event-ID" | "claim" | "relay" }
  | { event: "session-ended"; lane: CallLane; by: "client" | "idle" };

/**
 * One line in the log for each call of a session, whatever became of it, and for what becomes of the session. The lines of a
 * moment are written together: the answer is on its way through this process meanwhile, and should not wait for them.
 *
 * Storage: none. Loses: the lines of the last moment, if the object crashes.
 */
export class CallLog {
  readonly #sessionId: string;
  readonly #waitUntil: (written: Promise<void>) => void;
  #entries: Entry[] = [];
  #whose: Promise<Whose> | undefined;
  #principal: string | undefined;

  /** `waitUntil` keeps the request open in which a line is due: the platform drops what is logged after its end. */
  constructor(sessionId: string, waitUntil: (written: Promise<void>) => void) {
    this.#sessionId = sessionId;
    this.#waitUntil = waitUntil;
  }

  /** Who has logged in; from now on it is in each line. */
  set principal(principal: string | undefined) {
    if (principal === this.#principal) return;
    this.#principal = principal;
    this.#whose = undefined;
  }

  /** How the log names session and user. */
  get whose(): Promise<Whose> {
    return (this.#whose ??= whoseIs(this.#sessionId, this.#principal));
  }

  add(call: CallEnd): void {
    this.#add(callEntry(call));
  }

  tell(event: SessionEvent): void {
    this.#add(event);
  }

  #add(entry: Entry): void {
    if (this.#entries.length === 0) this.#waitUntil(this.#writeSoon());
    this.#entries.push(entry);
  }

  async #writeSoon(): Promise<void> {
    await scheduler.wait(logAfterMs);
    const whose = await this.whose;
    for (const entry of this.#entries.splice(0)) console.log(line(entry, whose));
  }
}

/** The names in the log for a session and a principal. */
export async function whoseIs(sessionId: string | undefined, principal: string | undefined): Promise<Whose> {
  return {
    session: sessionId === undefined ? undefined : await shortHash(sessionId),
    user: principal === undefined ? undefined : await shortHash(principal),
  };
}

/** The line of one call, in every lane the same. */
export function callLine(call: CallEnd, whose: Whose): string {
  return line(callEntry(call), whose);
}

/** {@linkcode Whose} it is comes where a reader looks first, behind the name of the event. */
function line(entry: Entry, whose: Whose): string {
  return JSON.stringify(Object.assign({ event: entry.event }, whose, entry));
}

function callEntry(call: CallEnd): Entry {
  const { request, startedAtMs, outcome, clientInfo, answer, lane, revision, stream, traceparent } = call;
  const { method, params } = request;
  const name = loggedName(params?.["name"] ?? withoutQuery(params?.["uri"]));
  const ms = Date.now() - startedAtMs;
  const error = answer === undefined || outcome === "ok" ? undefined : errorIn(answer, params);
  return {
    event: "call",
    lane,
    revision: loggedName(revision),
    method: loggedName(method),
    name,
    outcome,
    ms,
    stream,
    client: clientName(clientInfo),
    error,
    traceparent,
  };
}

/** Name and version, as the client says them. */
export function clientName(clientInfo: unknown): string | undefined {
  const { name, version } = isObject(clientInfo) ? clientInfo : {};
  return loggedName(typeof version === "string" ? `${String(name)} ${version}` : name);
}

/** `ok`, `failed` or `error`. */
export function outcomeOf(answer: object): CallOutcome {
  if ("error" in answer) return "error";
  return "result" in answer && isObject(answer.result) && answer.result["isError"] === true ? "failed" : "ok";
}

/** The message of an answer that is an error, without what the client sent: tools repeat it in their errors. */
function errorIn(answer: object, params: unknown): string | undefined {
  const { error, result } = answer as { error?: unknown; result?: unknown };
  const first: unknown = isObject(result) && Array.isArray(result["content"]) ? result["content"][0] : undefined;
  const message = isObject(error) ? error["message"] : isObject(first) ? first["text"] : undefined;
  return typeof message === "string" ? loggedName(redacted(message, contentsOf(params))) : undefined;
}

function contentsOf(params: unknown): unknown[] {
  if (!isObject(params)) return [];
  const { uri } = params;
  // The path of one is its name.
  return [...contents.map((member) => params[member]), uri === withoutQuery(uri) ? undefined : uri];
}

/** Of a URI: a query, a fragment and a password are nobody's name. */
function withoutQuery(uri: unknown): unknown {
  return typeof uri === "string" ? uri.replace(/[?#].*$/s, "").replace(/\/\/[^/@]*@/, "//") : uri;
}
