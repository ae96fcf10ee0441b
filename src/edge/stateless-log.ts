import type { JSONRPCMessage, JSONRPCRequest, McpServer, Server } from "@modelcontextprotocol/server";
import { CLIENT_INFO_META_KEY } from "@modelcontextprotocol/server";
import { subjectOf, tellFailure, tellTerminal } from "../development.ts";
import { isRequest, isResponse } from "../protocol/json-rpc.ts";
import { type CallOutcome, callLine, outcomeOf } from "../call-log.ts";

/**
 * One line in the log for the call that `server` is built for, as in a session: there it is a `CallLog` that knows of every
 * call, here the transport, which sees it come and its answer go. One that is closed without an answer was cancelled.
 */
export function logCalls(server: McpServer | Server): void {
  const connect = server.connect.bind(server);
  server.connect = async (transport) => {
    let running: { request: JSONRPCRequest; startedAtMs: number } | undefined;
    const end = (outcome: CallOutcome): void => {
      if (running === undefined) return;
      const clientInfo = running.request.params?._meta?.[CLIENT_INFO_META_KEY];
      console.log(callLine({ ...running, outcome, clientInfo }));
      tellTerminal({ event: "ended", what: subjectOf(running.request) });
      running = undefined;
    };
    const send = transport.send.bind(transport);
    transport.send = async (message, options) => {
      if (isResponse(message) && running !== undefined) {
        tellFailure(subjectOf(running.request), message);
        end(outcomeOf(message));
      }
      await send(message, options);
    };
    await connect(transport);
    const { onmessage, onclose } = transport;
    transport.onmessage = (message: JSONRPCMessage, extra) => {
      if (isRequest(message)) {
        running = { request: message, startedAtMs: Date.now() };
        tellTerminal({ event: "started", what: subjectOf(message) });
      }
      onmessage?.(message, extra);
    };
    transport.onclose = () => {
      end("cancelled");
      onclose?.();
    };
  };
}
