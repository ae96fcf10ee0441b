import {
  CLIENT_INFO_META_KEY,
  type JSONRPCRequest,
  PROTOCOL_VERSION_META_KEY,
  type RequestId,
} from "@modelcontextprotocol/server";
import { type CallLane, callLine, type CallOutcome, outcomeOf, type Whose } from "../call-log.ts";
import { tellCall, tellFailure } from "../development.ts";
import { isObject, isRequest, isResponse } from "../protocol/json-rpc.ts";
import { traceparentIn } from "../protocol/trace-context.ts";
import type { Tap } from "./tap.ts";

export interface CallLoggerOptions {
  lane: CallLane;
  whose: Whose;
  /** The header of the request that brought the calls, where there is one for all. */
  traceparent?: string | null | undefined;
  write: (line: string) => void;
}

interface Running {
  request: JSONRPCRequest;
  /** Its `params` as they were sent: a tool may change what it is given. `undefined` if they cannot be written. */
  sent: string | undefined;
  startedAtMs: number;
}

/**
 * One line in the log for each call to a server that is not in a session's object: there it is a `CallLog` that knows of every
 * call, here the transport, which sees it come and its answer go. One that is closed without an answer was cancelled.
 */
export function callLogger({ lane, whose, traceparent, write }: CallLoggerOptions): Tap {
  const running = new Map<unknown, Running>();
  /** The `params` of `initialize`, which only clients of the revisions before 2026-07-28 send. */
  let introduced: Record<string, unknown> = {};
  const end = (id: RequestId | undefined, outcome: CallOutcome, answer?: object): void => {
    const call = running.get(id);
    if (call === undefined) return;
    running.delete(id);
    const { request, sent } = call;
    const meta = request.params?._meta;
    if (request.method === "initialize" && isObject(request.params)) introduced = request.params;
    const clientInfo = meta?.[CLIENT_INFO_META_KEY] ?? introduced["clientInfo"];
    const revision = meta?.[PROTOCOL_VERSION_META_KEY] ?? introduced["protocolVersion"];
    const trace = traceparentIn(meta, traceparent);
    const params =
      sent === undefined || outcome === "ok" ? request.params : (JSON.parse(sent) as typeof request.params);
    write(
      callLine(
        { ...call, request: { ...request, params }, lane, outcome, answer, clientInfo, revision, traceparent: trace },
        whose,
      ),
    );
    tellCall("ended", call);
  };
  return {
    hear(message) {
      if (isRequest(message)) {
        running.set(message.id, { request: message, sent: paramsOf(message), startedAtMs: Date.now() });
        tellCall("started", { request: message });
      } else if ("method" in message && message.method === "notifications/cancelled") {
        end(message.params?.["requestId"] as RequestId | undefined, "cancelled");
      }
    },
    say(message) {
      const call = isResponse(message) ? running.get(message.id) : undefined;
      if (call !== undefined && isResponse(message)) {
        tellFailure(call, message);
        end(message.id, outcomeOf(message), message);
      }
      return message;
    },
    close() {
      for (const id of running.keys()) end(id as RequestId, "cancelled");
    },
  };
}

function paramsOf({ params }: JSONRPCRequest): string | undefined {
  try {
    return JSON.stringify(params);
  } catch {
    // Nested too deep.
    return undefined;
  }
}
