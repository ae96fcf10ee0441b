import { type JSONRPCMessage, type JSONRPCRequest, LOG_LEVEL_META_KEY } from "@modelcontextprotocol/server";
import { isRequest, isResponse } from "../protocol/json-rpc.ts";
import { isAtLeast } from "../protocol/log-level.ts";
import type { Tap } from "../sdk/tap.ts";
import { isChange } from "./changes.ts";

/**
 * A server of the stateless revision has one request. What it says without naming that, by `server.notification` or
 * `server.sendLoggingMessage`, the SDK's transport drops; over stdio its client hears it. So it is said on account of the request
 * that there is. A client has no way to answer a request of the server's: whoever asks by one is told at once.
 */
export function onlyRequest(): Tap {
  let only: JSONRPCRequest | undefined;
  return {
    hear(message) {
      if (isRequest(message)) only = message;
    },
    say(message) {
      if (isRequest(message)) throw new Error(`No client answers ${message.method} in 2026-07-28: use inputRequired.`);
      return message;
    },
    accountOf: (message) => (only !== undefined && isHeard(message, only) ? only.id : undefined),
  };
}

/** Whether the client of `request` hears `message` with its answer. Log messages only if it asked for them (Logging). */
function isHeard(message: JSONRPCMessage, { params }: JSONRPCRequest): boolean {
  if (isResponse(message) || isChange(message.method)) return false;
  const least = params?._meta?.[LOG_LEVEL_META_KEY];
  return (
    message.method !== "notifications/message" || (least !== undefined && isAtLeast(message.params?.["level"], least))
  );
}
