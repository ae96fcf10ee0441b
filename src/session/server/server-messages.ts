import { AsyncLocalStorage } from "node:async_hooks";
import type { JSONRPCMessage, JSONRPCNotification, JSONRPCRequest, RequestId } from "@modelcontextprotocol/server";
import { tellFailure } from "../../development.ts";
import type { Settings } from "../../options.ts";
import { isRequest, isResponse } from "../../protocol/json-rpc.ts";
import { type Bounds, writeMessage, writeResponse } from "../../protocol/message-json.ts";
import { type CallLog, type CallOutcome, clientName, outcomeOf } from "../../call-log.ts";
import { type Call, type Calls, sentIn } from "../calls/calls.ts";
import type { Clock } from "../clock.ts";
import type { Delivery } from "../out/delivery.ts";
import type { HandshakeRecord } from "../stored/handshake.ts";
import type { Introduction } from "../stored/introduction.ts";
import type { Journal } from "../calls/journal.ts";
import { listenStream, sseStream } from "../../link/link.ts";
import { kindOf } from "../out/sent-message.ts";
import type { ServerRequests } from "../calls/server-requests.ts";
import type { Streams } from "../out/streams.ts";
import type { SessionTransport } from "./transport.ts";

/**
 * Which call a server's request was made in: the SDK's `elicitInput` and `requestSampling` do not say. Only Streamable HTTP
 * needs to know, where each call has a stream of its own. One for all sessions of the isolate: none runs inside another.
 */
export const callContext = new AsyncLocalStorage<RequestId>();

const progressMethod = "notifications/progress";
const cancelledMethod = "notifications/cancelled";

export interface ServerMessagesParts {
  clock: Clock;
  settings: Settings;
  calls: Calls;
  callLog: CallLog;
  delivery: Delivery;
  introduction: Introduction;
  journal: Journal;
  record: HandshakeRecord;
  serverRequests: ServerRequests;
  streams: Streams;
  transport: SessionTransport;
  /** A POST's stream that has carried its last answer is over. */
  endIfAnswered: (stream: string) => void;
}

/**
 * What a session's server says, on its way to the client: answers, and how each call ends; requests; notifications.
 *
 * Storage: none of its own. Lifetime: the object's time in memory.
 */
export class ServerMessages {
  readonly #parts: ServerMessagesParts;

  constructor(parts: ServerMessagesParts) {
    this.#parts = parts;
  }

  /** The stream for what belongs to no call. */
  get commonStream(): string {
    return this.#parts.record.lane === "mcp" ? listenStream : sseStream;
  }

  /**
   * A message of the server's. `relatedRequestId`: the request that it was answering.
   * @throws {Error} for a request on account of one that is over.
   */
  emit(message: JSONRPCMessage, relatedRequestId: RequestId | undefined): void {
    if (isResponse(message)) {
      this.answer(message, outcomeOf(message));
      return;
    }
    const isServerRequest = isRequest(message);
    const withdrawn = this.#withdrawn(message);
    if (this.#parts.introduction.take(message, this.#parts.calls.size > 0)) return;
    const callId = relatedRequestId ?? (isServerRequest ? callContext.getStore() : undefined);
    const call = callId === undefined ? undefined : this.#parts.calls.get(callId);
    if (call === undefined && relatedRequestId !== undefined && isPast(message)) return;
    if (!this.#parts.record.wants(message)) return;
    const { clock, streams } = this.#parts;
    const json = writeMessage(
      message,
      { name: message.method, advice: "Send less at once." },
      // What is no request makes room by itself.
      this.#bounds(() => !isServerRequest || this.#parts.delivery.hasRoom),
    );
    const { progressToken, progress } = message.method === progressMethod ? (message.params ?? {}) : {};
    // By its token it names its call, also where it was said without one.
    const told = this.#parts.calls.noteProgress(progressToken, progress, clock());
    const stream = (call ?? told)?.stream ?? withdrawn ?? this.commonStream;
    const post = streams.post(stream);
    if (post !== undefined) this.#parts.delivery.startEvents(post);
    const { sequence } = this.#parts.delivery.send(stream, kindOf(message), json);
    if (!isServerRequest) return;
    this.#parts.serverRequests.add(message.id, { stream, sequence, nowMs: clock() });
  }

  /** If `message` says that a request of the server waits no longer: the stream that it was sent on, if there is more to come there. */
  #withdrawn({ method, params }: JSONRPCRequest | JSONRPCNotification): string | undefined {
    const { calls, serverRequests } = this.#parts;
    const asked = method === cancelledMethod ? serverRequests.answered(params?.["requestId"] as RequestId) : undefined;
    return asked !== undefined && calls.isStreamBusy(asked.stream) ? asked.stream : undefined;
  }

  /** Answers a call, if it is not over. */
  answer(message: JSONRPCMessage & { id?: RequestId | undefined }, outcome: CallOutcome): void {
    const call = message.id === undefined ? undefined : this.#parts.calls.get(message.id);
    // Without a call it was cancelled, abandoned or answered: nobody waits.
    if (call === undefined) return;
    if (!("error" in message)) this.#parts.record.noteAnswered(call.request, message);
    tellFailure(call, message);
    const bounds = this.#bounds((length) => this.#parts.delivery.hasRoomFor(length));
    const { message: said, json } = writeResponse(message, call.request, bounds);
    if (call.journalKey !== undefined) {
      // In one turn, and before it is sent: there is no moment in which neither has it, and none in which both have.
      this.#parts.journal.remove(call.journalKey);
      this.#parts.delivery.storeThenSend(call.stream, json);
    } else if (this.#parts.streams.post(call.stream)?.holdForJson(json) !== true) {
      const { handedOverAtMs } = this.#parts.delivery.send(call.stream, "response", json, call.post);
      call.isTold = call.post !== undefined && handedOverAtMs !== undefined;
    }
    this.#end(call.request.id, said === message ? outcome : outcomeOf(said), said);
    if (call.request.method === "initialize" && "result" in message) this.#tellOpened();
  }

  #tellOpened(): void {
    const { callLog, record } = this.#parts;
    const { clientInfo, protocolVersion } = record.handshake?.initialize ?? {};
    const client = clientName(clientInfo);
    callLog.tell({ event: "session-opened", lane: record.lane, revision: protocolVersion, client });
  }

  #bounds(hasRoomFor: Bounds["hasRoomFor"]): Bounds {
    return { maxMessageBytes: this.#parts.settings.maxMessageBytes, hasRoomFor };
  }

  /**
   * Answers a request of the server in its client's place, which is told that nobody waits any more (revision 2025-11-25,
   * Timeouts): it may have shown a person a dialog.
   */
  refuse(id: RequestId, reason: string): void {
    this.emit({ jsonrpc: "2.0", method: cancelledMethod, params: { requestId: id, reason } }, undefined);
    this.#parts.transport.refuse(id, reason);
  }

  /** The client of a call is gone for good: its tool is told to stop. */
  abandon(requestId: RequestId): void {
    const params = { requestId, reason: "The client is gone" };
    this.#parts.transport.receive({ jsonrpc: "2.0", method: "notifications/cancelled", params });
    this.drop(requestId, "abandoned");
  }

  /** Ends a call that gets no answer. */
  drop(id: RequestId, outcome: CallOutcome): void {
    const journalKey = this.#parts.calls.get(id)?.journalKey;
    if (journalKey !== undefined) this.#parts.journal.remove(journalKey);
    this.#end(id, outcome);
  }

  #end(id: RequestId, outcome: CallOutcome, answer?: object): void {
    const call = this.close(id, outcome, answer);
    if (call !== undefined) this.#parts.endIfAnswered(call.stream);
  }

  /** A call is over: nothing more is sent for it. */
  close(id: RequestId, outcome: CallOutcome, answer?: object): Call | undefined {
    const call = this.#parts.calls.close(id);
    if (call === undefined) return undefined;
    const { lane, handshake } = this.#parts.record;
    const { clientInfo, protocolVersion: revision } = handshake?.initialize ?? {};
    // What is kept out of the message of an error is what was sent.
    const request = outcome === "ok" ? call.request : sentIn(call);
    this.#parts.callLog.add({ ...call, request, outcome, answer, lane, revision, clientInfo });
    return call;
  }
}

/**
 * Whether `message`, which is said on account of a call that is over, is no news any more: how far that is (revision 2025-11-25,
 * Progress). What else is said of it is on the common stream then, as what belongs to no call that runs.
 * @throws {Error} for a request, as the call may have been cancelled: whoever wants to ask is told at once.
 */
function isPast(message: JSONRPCRequest | JSONRPCNotification): boolean {
  if (isRequest(message)) throw new Error(`The call that this ${message.method} belongs to is over.`);
  return message.method === progressMethod;
}
