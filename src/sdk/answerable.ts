import type { JSONRPCRequest } from "@modelcontextprotocol/server";
import { isObject } from "../protocol/json-rpc.ts";
import { notAResult } from "../protocol/message-json.ts";
import { isTellable, textOf } from "../protocol/thrown.ts";
import type { AnyServer } from "../server-context.ts";

type Handler = (request: JSONRPCRequest, context: unknown) => unknown;

/**
 * Has every request to `server` answered, whatever its handler throws or returns. Of what was thrown both SDKs read `code` and
 * `message`, and say nothing at all if that fails, as it does for `null`: the client would wait for ever. In tools they see to it
 * themselves; prompts, resources, completions and handlers of one's own are like this everywhere.
 */
export function answerAlways(server: AnyServer): void {
  const inner: unknown = Reflect.get(server, "server") ?? server;
  const handlers: unknown = Reflect.get(Object(inner), "_requestHandlers");
  if (!(handlers instanceof Map)) return;
  const set = handlers.set.bind(handlers);
  // Also one that is registered later, with the first tool for one.
  handlers.set = (method: string, handler: Handler) => set(method, answering(handler));
  for (const [method, handler] of handlers) set(method, answering(handler as Handler));
  const { fallbackRequestHandler } = Object(inner) as { fallbackRequestHandler?: Handler };
  if (fallbackRequestHandler !== undefined) {
    Reflect.set(Object(inner), "fallbackRequestHandler", answering(fallbackRequestHandler));
  }
}

function answering(handler: Handler): Handler {
  return async (request, context) => {
    let result: unknown;
    try {
      result = await handler(request, context);
    } catch (thrown) {
      throw isTellable(thrown) ? thrown : withoutStack(textOf(thrown));
    }
    if (!isObject(result)) throw notAResult(request);
    return result;
  };
}

/** An error that was made here says nothing about where it came from. */
function withoutStack(message: string): Error {
  const error = new Error(message);
  error.stack = message;
  return error;
}
