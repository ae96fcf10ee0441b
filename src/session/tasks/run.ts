import type { JSONRPCMessage, JSONRPCRequest } from "@modelcontextprotocol/server";
import { callerOf, noteCaller } from "../../link/caller.ts";
import { headerPrefix } from "../../link/link.ts";
import { isResponse, parseBody } from "../../protocol/json-rpc.ts";
import { dataOf } from "../../protocol/sse-frame.ts";

/** Answers one request of the stateless revision by a server of its own. `body`: its message. */
export type AnswerStateless = (request: Request, body: unknown) => Promise<Response>;

/** The response to a message, or what stands in its place. */
export type Answer = Exclude<JSONRPCMessage, { method: string }>;

export interface RunOptions {
  answer: AnswerStateless;
  /** The HTTP request that brought the call. */
  from: Request;
  signal: AbortSignal;
  /** What the server says besides its answer. */
  onMessage?: (message: JSONRPCMessage) => void;
  onComment?: (frame: string) => void;
}

/** The answer of a server to `request`; the response itself if it is no message: the SDK refused the request. */
export async function run(request: JSONRPCRequest, options: RunOptions): Promise<Answer | Response> {
  const { answer, from, signal, onMessage, onComment } = options;
  const headers = new Headers([...from.headers].filter(([name]) => !name.startsWith(headerPrefix)));
  const http = new Request(from.url, { method: "POST", headers, signal });
  const caller = callerOf(from);
  if (caller !== undefined) noteCaller(http, caller);
  const response = await answer(http, request);
  if (response.headers.get("content-type") !== "text/event-stream" || response.body === null) {
    const kept = response.clone();
    const parsed = parseBody(await response.text());
    const message = parsed.ok ? parsed.messages[0] : undefined;
    return response.ok && message !== undefined && isResponse(message) ? message : kept;
  }
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    // Of whole events: the SDK writes no parts of one.
    for (const frame of decoder.decode(chunk).split(/(?<=\n\n)/)) {
      const data = dataOf(frame);
      const parsed = data === undefined ? undefined : parseBody(data);
      const message = parsed?.ok === true ? parsed.messages[0] : undefined;
      if (message === undefined) onComment?.(frame);
      else if (isResponse(message)) return message;
      else onMessage?.(message);
    }
  }
  throw new Error("the server ended without an answer");
}
