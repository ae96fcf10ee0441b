import type { RequestId } from "@modelcontextprotocol/server";
import { isRequest, isResponse } from "../protocol/json-rpc.ts";
import { type Asked, type Bounds, writeNamed, writeResponse } from "../protocol/message-json.ts";
import type { Tap } from "./tap.ts";

const unbounded: Bounds = { maxMessageBytes: Infinity, hasRoomFor: () => true };

/**
 * Says an error in the place of a result that cannot be written, where the SDK's own transport writes: that one says nothing
 * at all then, and its client waits for ever. A request or a notification that cannot be written throws a `TypeError`: whoever
 * says it is told at once. Before whoever follows what is said.
 */
export function writable(): Tap {
  const open = new Map<RequestId, Asked>();
  return {
    hear(message) {
      if (isRequest(message)) {
        const { id, method, params } = message;
        open.set(id, { id, method, params: { name: params?.["name"] } });
      } else if ("method" in message && message.method === "notifications/cancelled") {
        // It gets no answer.
        open.delete(message.params?.["requestId"] as RequestId);
      }
    },
    say(message) {
      const request = isResponse(message) && message.id !== undefined ? open.get(message.id) : undefined;
      if (request === undefined) {
        writeNamed(message, "method" in message ? message.method : "The message");
        return message;
      }
      open.delete(request.id);
      return writeResponse(message, request, unbounded).message;
    },
  };
}
