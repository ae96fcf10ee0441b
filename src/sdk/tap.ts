import type { JSONRPCMessage, RequestId, Transport } from "@modelcontextprotocol/server";
import { errorAnswer, isResponse } from "../protocol/json-rpc.ts";
import type { AnyServer } from "../server-context.ts";

/** Whoever follows what goes between a server and its transport. */
export interface Tap {
  /** A message of the client's, before the server has it. */
  hear?(message: JSONRPCMessage): void;
  /** One of the server's, before it is sent: what is returned goes on instead. */
  say?(message: JSONRPCMessage): JSONRPCMessage;
  /** On account of which request one is sent that names none. */
  accountOf?(message: JSONRPCMessage): RequestId | undefined;
  /** The transport is closed. */
  close?(): void;
}

/** Has `taps` follow all that `server` and the transport it will be connected to say to each other, in their order. */
export function tap(server: AnyServer, taps: readonly Tap[]): void {
  const connect: (transport: Transport) => Promise<void> = server.connect.bind(server) as never;
  server.connect = async (transport: Transport) => {
    const send = transport.send.bind(transport);
    transport.send = async (said, given) => {
      let message = said;
      let relatedRequestId = given?.relatedRequestId;
      for (const each of taps) {
        message = each.say?.(message) ?? message;
        relatedRequestId ??= each.accountOf?.(message);
      }
      const options = relatedRequestId === undefined ? given : { ...given, relatedRequestId };
      try {
        await send(message, options);
      } catch (fault) {
        // Nested a hundred thousand deep, it can be written, and the SDK's own check of it cannot be run.
        if (!isResponse(message) || "error" in message) throw fault;
        await send(errorAnswer(message.id, "The result cannot be sent: it is nested too deeply."), options);
      }
    };
    await connect(transport);
    const { onmessage, onclose } = transport;
    transport.onmessage = (message, extra) => {
      for (const each of taps) each.hear?.(message);
      onmessage?.(message, extra);
    };
    transport.onclose = () => {
      for (const each of taps) each.close?.();
      onclose?.();
    };
  };
}
