import { CLIENT_INFO_META_KEY, type JSONRPCRequest } from "@modelcontextprotocol/server";
import { subjectOf, tellFailure, tellTerminal } from "../development.ts";
import { isRequest, isResponse } from "../protocol/json-rpc.ts";
import type { Tap } from "../sdk/tap.ts";
import { type CallOutcome, callLine, outcomeOf } from "../call-log.ts";

/**
 * One line in the log for the call that a server is built for, as in a session: there it is a `CallLog` that knows of every
 * call, here the transport, which sees it come and its answer go. One that is closed without an answer was cancelled.
 */
export function callLogger(): Tap {
  let running: { request: JSONRPCRequest; startedAtMs: number } | undefined;
  const end = (outcome: CallOutcome): void => {
    if (running === undefined) return;
    const clientInfo = running.request.params?._meta?.[CLIENT_INFO_META_KEY];
    console.log(callLine({ ...running, outcome, clientInfo }));
    tellTerminal({ event: "ended", what: subjectOf(running.request) });
    running = undefined;
  };
  return {
    hear(message) {
      if (!isRequest(message)) return;
      running = { request: message, startedAtMs: Date.now() };
      tellTerminal({ event: "started", what: subjectOf(message) });
    },
    say(message) {
      if (isResponse(message) && running !== undefined) {
        tellFailure(subjectOf(running.request), message);
        end(outcomeOf(message));
      }
      return message;
    },
    close: () => end("cancelled"),
  };
}
