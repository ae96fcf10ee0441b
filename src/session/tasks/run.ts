import type { JSONRPCMessage, JSONRPCRequest } from "@modelcontextprotocol/server";
import { callerOf, noteCaller } from "../../link/caller.ts";
import { headerPrefix } from "../../link/link.ts";
import { errorAnswer, isObject, isResponse, parseMessage } from "../../protocol/json-rpc.ts";
import { requestOf, type StoredRequest } from "../calls/stored-request.ts";
import { logIncident } from "../../protocol/incident.ts";
import { incidentMessage } from "../../development.ts";
import { dataOf } from "../../protocol/sse-frame.ts";
import { onOwnTasks } from "../../tasks/extension.ts";

/** Answers one request of the stateless revision by a server of its own. `body`: its message. */
export type AnswerStateless = (request: Request, body: unknown) => Promise<Response>;

/** The response to a message, or what stands in its place. */
export type Answer = Exclude<JSONRPCMessage, { method: string }>;

/** By which a server tells how far a call is that its client asked nothing of. */
const ownToken = "mcp-edge-task";

/** Headers that say what the body is about (revision 2026-07-28, Standard Headers). */
const standardHeaders = /^mcp-(method|name|param-.*)$/;

interface RunOptions {
  answer: AnswerStateless;
  /** The HTTP request that brought the call. */
  from: Request;
  signal: AbortSignal;
  /** What the server says besides its answer. */
  onMessage?: (message: JSONRPCMessage) => void;
}

/**
 * The answer of a server to the call `request`, see {@linkcode run}, whatever becomes of it. `onProgress` is told how far the
 * call is, as a sentence, also if its client asked nothing of that.
 */
export async function runCall(
  request: JSONRPCRequest,
  options: Required<RunOptions> & { onProgress: (progress: string) => void },
): Promise<Answer | Response> {
  const onMessage = (message: JSONRPCMessage): void => {
    const params = "method" in message ? message.params : undefined;
    if (isObject(params) && "progress" in params) options.onProgress(progressOf(params));
    if (params?.["progressToken"] !== ownToken) options.onMessage(message);
  };
  try {
    return await run(withToken(request), { ...options, onMessage });
  } catch (error) {
    if (options.signal.aborted) return new Response(null, { status: 499 });
    return errorAnswer(request.id, incidentMessage(logIncident(error), error));
  }
}

/** The answer of a server to `request`; the response itself if it is no message: the SDK refused the request. */
async function run(request: JSONRPCRequest, options: RunOptions): Promise<Answer | Response> {
  const { answer, from, signal, onMessage } = options;
  const headers = new Headers([...from.headers].filter(([name]) => !name.startsWith(headerPrefix)));
  const http = new Request(from.url, { method: "POST", headers, signal });
  noteCaller(http, callerOf(from));
  onOwnTasks.set(http, () => onOwnTasks.get(from)?.());
  const response = await answer(http, request);
  if (response.headers.get("content-type") !== "text/event-stream" || response.body === null) {
    const kept = response.clone();
    const message = parseMessage(await response.text());
    return response.ok && message !== undefined && isResponse(message) ? message : kept;
  }
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    // Of whole events: the SDK writes no parts of one.
    for (const frame of decoder.decode(chunk).split(/(?<=\n\n)/)) {
      const message = parseMessage(dataOf(frame));
      if (message === undefined) continue;
      if (isResponse(message)) return message;
      onMessage?.(message);
    }
  }
  throw new Error("the server ended without an answer");
}

/** What the SDK refuses before there is a server is an error as well. */
export async function asAnswer(said: Answer | Response, { id }: JSONRPCRequest): Promise<Answer> {
  if (!(said instanceof Response)) return said;
  const body: unknown = await said.json().catch(() => undefined);
  const { error } = isObject(body) ? body : {};
  const { code = -32_603, message = `the call was answered ${said.status}`, ...more } = isObject(error) ? error : {};
  return { jsonrpc: "2.0", id, error: { ...more, code: Number(code), message: String(message) } };
}

/** `request`, whose tool can tell how far it is. */
function withToken(request: JSONRPCRequest): JSONRPCRequest {
  const { _meta } = request.params ?? {};
  if (_meta?.progressToken !== undefined) return request;
  return { ...request, params: { ...request.params, _meta: { ..._meta, progressToken: ownToken } } };
}

/** As a sentence for a person: all that a task tells of it. */
function progressOf({ progress, total, message }: Record<string, unknown>): string {
  const far = typeof total === "number" ? `${Number(progress)}/${total}` : String(Number(progress));
  return typeof message === "string" ? `${far}: ${message}` : far;
}

/** What the server of an interrupted call is asked about its tool. */
export function askerFor(record: StoredRequest & { request: JSONRPCRequest }, answer: AnswerStateless) {
  return async ({ method, params }: { method: string; params?: Record<string, unknown> }): Promise<Answer> => {
    const { _meta } = record.request.params ?? {};
    const request: JSONRPCRequest = {
      jsonrpc: "2.0",
      id: 0,
      method,
      params: { ...params, ...(_meta && { _meta }) },
    };
    const headers = record.headers.filter(([name]) => !standardHeaders.test(name));
    const from = requestOf({ ...record, headers: [...headers, ["mcp-method", method]] });
    const said = await run(request, { answer, from, signal: new AbortController().signal });
    if (said instanceof Response) throw new Error(`${method} was answered ${said.status}`);
    return said;
  };
}
