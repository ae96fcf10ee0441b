import type { JSONRPCMessage, MessageExtraInfo, RequestId } from "@modelcontextprotocol/server";
import { isRequest, isResponse } from "../../protocol/json-rpc.ts";
import type { Calls } from "../calls/calls.ts";
import type { Delivery } from "../out/delivery.ts";
import type { HandshakeRecord } from "../stored/handshake.ts";
import type { Introduction } from "../stored/introduction.ts";
import { readClaimId } from "../../link/link.ts";
import { isInitialized } from "./running-server.ts";
import { callContext, type ServerMessages } from "./server-messages.ts";
import type { ServerRequests } from "../calls/server-requests.ts";
import type { SessionTransport } from "./transport.ts";

export interface ClientMessagesParts {
  calls: Calls;
  delivery: Delivery;
  introduction: Introduction;
  record: HandshakeRecord;
  serverMessages: ServerMessages;
  serverRequests: ServerRequests;
  transport: SessionTransport;
}

/**
 * What a session's client says, on its way to the server: requests, notifications, and answers to what the server asked.
 *
 * Storage: none of its own. Lifetime: the object's time in memory.
 */
export class ClientMessages {
  readonly #parts: ClientMessagesParts;

  constructor(parts: ClientMessagesParts) {
    this.#parts = parts;
  }

  /** Hands the messages of one POST to the server, whose requests are open calls by now. */
  receive([first, ...others]: JSONRPCMessage[], extra: MessageExtraInfo): void {
    if (first !== undefined) this.#receive(first, extra);
    if (others.length > 0) void this.#receiveInTurn(others, extra);
  }

  /**
   * The rest of a batch, each message in a turn of its own: what is answered at once is answered, and bounded, before the
   * next begins. All in one turn, a hundred small requests could have a hundred large results in memory at the same time.
   */
  async #receiveInTurn(messages: JSONRPCMessage[], extra: MessageExtraInfo): Promise<void> {
    for (const message of messages) {
      await scheduler.wait(0);
      // Cancelled meanwhile, or the session has ended.
      if (isRequest(message) && this.#parts.calls.get(message.id) === undefined) continue;
      this.#receive(message, extra);
    }
  }

  #receive(message: JSONRPCMessage, extra: MessageExtraInfo): void {
    const { introduction, record, serverMessages, transport } = this.#parts;
    if (isResponse(message)) return this.#receiveAnswer(message, extra);
    if (isRequest(message) && record.lane === "mcp") {
      return callContext.run(message.id, () => transport.receive(message, extra));
    }
    if (isInitialized(message))
      return introduction.begin(record.handshake?.initialize, () => transport.receive(message, extra));
    transport.receive(message, extra);
    if (isRequest(message) || message.method !== "notifications/cancelled") return;
    const { requestId, reason } = message.params ?? {};
    // Otherwise the SDK takes the notification for no cancellation, and the call goes on.
    if (reason === undefined || typeof reason === "string") serverMessages.drop(requestId as RequestId, "cancelled");
  }

  #receiveAnswer(message: JSONRPCMessage & { id?: RequestId | undefined }, extra: MessageExtraInfo): void {
    const { delivery, introduction, serverRequests, transport } = this.#parts;
    const { id } = message;
    if (id === undefined) return;
    if (readClaimId(id) !== undefined || delivery.takeReceipt(id)) return;
    const asked = serverRequests.answered(id);
    // Streams keep their order: with the request all before it has arrived.
    if (asked !== undefined) delivery.outbox.acknowledge(asked.stream, asked.sequence);
    introduction.noteAnswer(id, message);
    transport.receive(message, extra);
  }
}
