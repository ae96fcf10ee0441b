import { isObject } from "../protocol/json-rpc.ts";
import { notAResult } from "../protocol/message-json.ts";
import { isTellable, textOf } from "../protocol/thrown.ts";
import type { AnyServer } from "../server-context.ts";
import { type Handler, wrapHandlers } from "./handlers.ts";

/**
 * Has every request to `server` answered, whatever its handler throws or returns. Of what was thrown both SDKs read `code` and
 * `message`, and say nothing at all if that fails, as it does for `null`: the client would wait for ever. In tools they see to it
 * themselves; prompts, resources, completions and handlers of one's own are like this everywhere.
 */
export function answerAlways(server: AnyServer): void {
  wrapHandlers(server, answering);
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
