import { AsyncLocalStorage } from "node:async_hooks";
import type { ClientCapabilities, JSONRPCMessage, MessageExtraInfo, RequestId } from "@modelcontextprotocol/server";
import { isRequest, isResponse } from "../protocol/json-rpc.ts";
import type { Settings } from "../options.ts";
import { writeMessage, writeResponse } from "../protocol/message-json.ts";
import type { AnyServer } from "../server-context.ts";
import { attempt } from "./attempt.ts";
import { CallLog, type CallOutcome } from "./call-log.ts";
import { type Call, Calls } from "./calls.ts";
import { Delivery } from "./delivery.ts";
import { Claims } from "./claims.ts";
import { clientCapabilitiesOf, type Handshake, HandshakeRecord, type Lane } from "./handshake.ts";
import { messageExtra, requestOf } from "./http-source.ts";
import { Introduction } from "./introduction.ts";
import { Journal, type JournalEntry } from "./journal.ts";
import { isPostStream, listenStream, readClaimId, sseStream } from "./link.ts";
import { LongCalls } from "./long-calls.ts";
import { interruptedAnswer, maxReruns, mayRunAgain } from "./rerun.ts";
import { isInitialized, RunningServer } from "./running-server.ts";
import { ServerRequests } from "./server-requests.ts";
import type { RowStore } from "./rows.ts";
import type { Streams } from "./streams.ts";
import { SessionTransport } from "./transport.ts";

export interface ConversationOptions {
  sessionId: string;
  store: RowStore;
  streams: Streams;
  settings: Settings;
  handshake: Handshake | undefined;
  /** Builds the server. `request` is the one that made it necessary. */
  createServer: (request: Request) => Promise<AnyServer>;
  /** Writes the handshake. It must not hold back the answer to `initialize`. */
  storeHandshake: (handshake: Handshake) => void;
  /** Requests run that are written down: somebody must see to it that they are answered if this object goes away. */
  onJournaled: () => void;
  /** Keeps the request open that is being served. */
  waitUntil: (done: Promise<void>) => void;
  /** The client on a fresh stream is this session's: `freshId` names the object that holds the stream. */
  onClaim: (freshId: string) => void;
}

/**
 * Which call a server's request was made in: the SDK's `elicitInput` and `requestSampling` do not say. Only Streamable HTTP
 * needs to know, where each call has a stream of its own. One for all sessions of the isolate: none runs inside another.
 */
const callContext = new AsyncLocalStorage<RequestId>();

/**
 * One session's client and server talking: every message of either passes here.
 *
 * Storage: the outbox, the journal and the handshake. Lifetime: the object's time in memory; a later one is rebuilt from
 * storage by {@linkcode ready}. Loses: nothing that a client was told is accepted.
 */
export class Conversation {
  readonly calls = new Calls();
  readonly delivery: Delivery;
  readonly transport: SessionTransport;

  readonly #options: ConversationOptions;
  readonly #journal: Journal;
  readonly #serverRequests: ServerRequests;
  readonly #longCalls: LongCalls;
  readonly #callLog: CallLog;
  readonly #record: HandshakeRecord;
  readonly #claims: Claims;
  readonly #introduction: Introduction;
  readonly #server: RunningServer;

  constructor(options: ConversationOptions) {
    const { settings, sessionId, store } = options;
    this.#options = options;
    this.#record = new HandshakeRecord(options.handshake, options.storeHandshake);
    this.#journal = new Journal(store);
    this.#callLog = new CallLog(sessionId, options.waitUntil);
    this.delivery = new Delivery(options);
    this.#claims = new Claims(settings.claimMs);
    this.#serverRequests = new ServerRequests(settings.maxWaitForClientMs);
    this.#longCalls = new LongCalls({
      calls: this.calls,
      serverRequests: this.#serverRequests,
      streams: options.streams,
      settings,
      tell: (id, params) => this.#emit({ jsonrpc: "2.0", method: "notifications/progress", params }, id),
      refuse: (id, reason) => this.transport.refuse(id, reason),
      abandon: (id) => this.#abandon(id),
    });
    this.transport = new SessionTransport({
      sessionId,
      incarnation: this.delivery.outbox.nextSequence(Date.now()).toString(36),
      target: {
        clientCapabilities: (): ClientCapabilities | undefined => clientCapabilitiesOf(this.handshake),
        emit: (message, relatedRequestId) => this.#emit(message, relatedRequestId),
      },
    });
    this.#introduction = new Introduction({
      questions: options.handshake?.questions ?? [],
      store: (questions) => this.#record.noteQuestions(questions),
      answer: (message) => this.transport.receive(message),
      hasClient: () => options.streams.isAttached(this.#commonStream()),
    });
    this.#server = new RunningServer({
      createServer: options.createServer,
      transport: this.transport,
      record: this.#record,
      introduction: this.#introduction,
      answerInterrupted: () => this.#answerInterrupted(),
    });
  }

  /** What is stored of the session; `undefined` before anything is. */
  get handshake(): Handshake | undefined {
    return this.#record.handshake;
  }

  /** Whether tools can have run. */
  get hasServer(): boolean {
    return this.#server.isReady;
  }

  /** Answers what an earlier run of the object left unanswered. Undefined if there is nothing to do. */
  recover(): Promise<void> | undefined {
    if (this.#server.building !== undefined) return this.#server.building;
    const [first] = this.#journal.interrupted();
    return first === undefined ? undefined : this.ready(requestOf(first.entry), this.#record.lane, []);
  }

  /** Builds the server if there is none, see {@linkcode RunningServer}. `lane` and `messages` are those of `request`. */
  ready(request: Request, lane: Lane, messages: JSONRPCMessage[]): Promise<void> | undefined {
    return this.#server.ready(request, lane, messages);
  }

  /** Starts the session's record, if it has none, so that it outlives this object's memory. */
  ensureStored(): void {
    this.#record.ensure();
  }

  /** Hands the messages of one POST to the server and returns its requests as running calls. */
  deliver(
    messages: JSONRPCMessage[],
    { extra, ...where }: Parameters<Calls["open"]>[1] & { extra: MessageExtraInfo },
  ): Call[] {
    const nowMs = Date.now();
    const calls = messages.filter(isRequest).map((request) => this.calls.open(request, where, nowMs));
    const freshId = this.#claims.takeFrom(messages, nowMs);
    if (freshId !== undefined) this.#options.onClaim(freshId);
    for (const message of messages) this.#receive(message, extra);
    return calls;
  }

  /** Writes down those of `calls` that are still running: from now on they are answered, whatever happens. */
  journalRunning(calls: Call[], request: Request): void {
    for (const call of calls) {
      if (this.calls.get(call.request.id) !== call || call.journalKey !== undefined) continue;
      this.#longCalls.start();
      this.ensureStored();
      const entry = { request: call.request, stream: call.stream, url: request.url, headers: [...request.headers] };
      attempt(() => {
        call.journalKey = this.#journal.add(entry, this.delivery.outbox.nextSequence(Date.now()));
        this.#options.onJournaled();
      });
    }
  }

  /** The client of `stream` has read: what waited for that goes out. */
  continueSending(stream: string): void {
    if (this.delivery.continueSending(stream)) this.endIfAnswered(stream);
  }

  /** A POST's stream that has carried its last answer is over. */
  endIfAnswered(stream: string): void {
    if (!isPostStream(stream) || this.calls.isStreamBusy(stream)) return;
    const { streams } = this.#options;
    const isLost = streams.lostAtMs(stream) !== undefined;
    if (isLost || this.delivery.outbox.waiting(stream).length === 0) streams.end(stream);
  }

  /** Whether a POST's stream has carried all that it ever will up to `after`. */
  isOver(stream: string, after: number): boolean {
    if (!isPostStream(stream) || this.calls.isStreamBusy(stream)) return false;
    if (this.delivery.outbox.after(stream, after).length > 0) return false;
    return this.#journal.interrupted().every(({ entry }) => entry.stream !== stream);
  }

  /** Ends the session's server and its calls. */
  async end(): Promise<void> {
    this.delivery.stop();
    this.#longCalls.stop();
    this.#record.end();
    for (const { request } of this.calls.all()) this.#closeCall(request.id, "cancelled");
    await this.#server.close();
  }

  /** Each rerun is counted on disk before it begins: it may kill this object at once. What cannot be counted is not run. */
  async #answerInterrupted(): Promise<void> {
    const again: JournalEntry[] = [];
    for (const { key, entry } of this.#journal.interrupted()) {
      const call = this.calls.open(entry.request, entry, Date.now());
      call.journalKey = key;
      const mayRun = (entry.reruns ?? 0) < maxReruns && (await mayRunAgain(entry.request, this.transport));
      if (mayRun && attempt(() => this.#journal.countRerun(key, entry))) again.push(entry);
      else this.#answer(interruptedAnswer(entry.request.id), "interrupted");
    }
    if (again.length === 0) return;
    await this.#journal.sync();
    this.#longCalls.start();
    attempt(() => this.#options.onJournaled());
    for (const entry of again) {
      const extra = messageExtra(requestOf(entry));
      callContext.run(entry.request.id, () => this.transport.receive(entry.request, extra));
    }
  }

  #receive(message: JSONRPCMessage, extra: MessageExtraInfo): void {
    if (isResponse(message)) return this.#receiveAnswer(message, extra);
    if (isRequest(message) && this.#record.lane === "mcp") {
      return callContext.run(message.id, () => this.transport.receive(message, extra));
    }
    if (isInitialized(message)) return this.#introduction.begin(() => this.transport.receive(message, extra));
    this.transport.receive(message, extra);
    if (isRequest(message) || message.method !== "notifications/cancelled") return;
    const { requestId, reason } = message.params ?? {};
    // Otherwise the SDK takes it for no cancellation, and the call goes on.
    if (reason === undefined || typeof reason === "string") this.#dropCall(requestId as RequestId, "cancelled");
  }

  #receiveAnswer(message: JSONRPCMessage & { id?: RequestId | undefined }, extra: MessageExtraInfo): void {
    const { id } = message;
    if (id === undefined) return;
    if (readClaimId(id) !== undefined || this.delivery.takeReceipt(id)) return;
    const asked = this.#serverRequests.answered(id);
    // Streams keep their order: with the request all before it has arrived.
    if (asked !== undefined) this.delivery.outbox.acknowledge(asked.stream, asked.sequence);
    this.#introduction.noteAnswer(id, message);
    this.transport.receive(message, extra);
  }

  #emit(message: JSONRPCMessage, relatedRequestId: RequestId | undefined): void {
    if (isResponse(message)) {
      this.#answer(message, "error" in message ? "error" : "ok");
      return;
    }
    const isServerRequest = isRequest(message);
    if (this.#introduction.take(message, Date.now())) return;
    const callId = relatedRequestId ?? (isServerRequest ? callContext.getStore() : undefined);
    const call = callId === undefined ? undefined : this.calls.get(callId);
    // Said about a call that has been answered: its stream is over, and the specification knows no other for it.
    if (call === undefined && relatedRequestId !== undefined) return;
    if (!this.#record.wants(message)) return;
    const { settings, streams } = this.#options;
    const json = writeMessage(message, { name: message.method, advice: "Send less at once." }, settings);
    const stream = call?.stream ?? this.#commonStream();
    if (message.method === "notifications/progress") {
      this.calls.noteProgress(message.params?.["progressToken"], message.params?.["progress"], Date.now());
    }
    const post = streams.post(stream);
    if (post !== undefined) this.delivery.startEvents(post);
    const { sequence } = this.delivery.send(stream, isServerRequest ? "request" : "notification", json);
    if (!isServerRequest) return;
    this.#serverRequests.add(message.id, { stream, sequence, nowMs: Date.now() });
  }

  #answer(message: JSONRPCMessage & { id?: RequestId | undefined }, outcome: CallOutcome): void {
    const call = message.id === undefined ? undefined : this.calls.get(message.id);
    // Without a call it was cancelled, abandoned or answered: nobody waits.
    if (call === undefined) return;
    if (!("error" in message)) this.#record.noteAnswered(call.request);
    const json = writeResponse(message, call.request, this.#options.settings);
    if (call.journalKey !== undefined) {
      // In one turn, and before it is sent: there is no moment in which neither has it, and none in which both have.
      this.#journal.remove(call.journalKey);
      this.delivery.storeThenSend(call.stream, json);
    } else if (this.#options.streams.post(call.stream)?.holdForJson(json) !== true) {
      const { handedOverAtMs } = this.delivery.send(call.stream, "response", json, call.post);
      call.isTold = call.post !== undefined && handedOverAtMs !== undefined;
    }
    this.#endCall(call.request.id, outcome);
  }

  /** The client of a call is gone for good: its tool is told to stop. */
  #abandon(requestId: RequestId): void {
    const params = { requestId, reason: "The client is gone" };
    this.transport.receive({ jsonrpc: "2.0", method: "notifications/cancelled", params });
    this.#dropCall(requestId, "abandoned");
  }

  /** Ends a call that gets no answer. */
  #dropCall(id: RequestId, outcome: CallOutcome): void {
    const journalKey = this.calls.get(id)?.journalKey;
    if (journalKey !== undefined) this.#journal.remove(journalKey);
    this.#endCall(id, outcome);
  }

  #endCall(id: RequestId, outcome: CallOutcome): void {
    const call = this.#closeCall(id, outcome);
    if (call !== undefined) this.endIfAnswered(call.stream);
  }

  #closeCall(id: RequestId, outcome: CallOutcome): Call | undefined {
    const call = this.calls.close(id);
    if (call === undefined) return undefined;
    this.#callLog.add(call, outcome);
    return call;
  }

  #commonStream(): string {
    return this.#record.lane === "mcp" ? listenStream : sseStream;
  }
}
