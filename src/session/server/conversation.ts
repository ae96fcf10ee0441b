import type { ClientCapabilities, JSONRPCMessage, MessageExtraInfo } from "@modelcontextprotocol/server";
import type { Settings } from "../../options.ts";
import type { ParsedMessages } from "../../protocol/json-rpc.ts";
import type { AnyServer } from "../../server-context.ts";
import { attempt } from "../stored/attempt.ts";
import type { CallLog } from "../../call-log.ts";
import { type Call, Calls, sentIn } from "../calls/calls.ts";
import { Delivery } from "../out/delivery.ts";
import { Claims } from "../calls/claims.ts";
import { ClientMessages } from "./client-messages.ts";
import type { Clock } from "../clock.ts";
import { clientCapabilitiesOf, type HandshakeRecord, type Lane } from "../stored/handshake.ts";
import { requestOf, storedRequest } from "../calls/stored-request.ts";
import { Introduction } from "../stored/introduction.ts";
import { Journal } from "../calls/journal.ts";
import { callerOf, isPostStream } from "../../link/link.ts";
import { LongCalls } from "../calls/long-calls.ts";
import { answerInterrupted } from "./recovery.ts";
import { RunningServer } from "./running-server.ts";
import { ServerMessages } from "./server-messages.ts";
import { ServerRequests } from "../calls/server-requests.ts";
import { takeOverRequests } from "./earlier-requests.ts";
import type { RowStore } from "../stored/rows.ts";
import type { Streams } from "../out/streams.ts";
import { SessionTransport } from "./transport.ts";

export interface ConversationOptions {
  clock: Clock;
  /** What tools see as the session's id, and logs: no key to it. */
  objectId: string;
  /** What clients have. */
  sessionId: () => string;
  rows: RowStore;
  streams: Streams;
  settings: Settings;
  record: HandshakeRecord;
  /** Builds the server. `request` is the one that made it necessary. */
  createServer: (request: Request) => Promise<AnyServer>;
  /** Requests run that are written down: somebody must see to it that they are answered if this object goes away. */
  onJournaled: () => void;
  callLog: CallLog;
  /** The client on a fresh stream is this session's: `freshId` names the object that holds the stream. */
  onClaim: (freshId: string) => void;
}

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
  readonly serverRequests: ServerRequests;

  readonly #options: ConversationOptions;
  readonly #journal: Journal;
  readonly #longCalls: LongCalls;
  readonly #said: ServerMessages;
  readonly #heard: ClientMessages;
  readonly #record: HandshakeRecord;
  readonly #claims: Claims;
  readonly #introduction: Introduction;
  readonly #server: RunningServer;

  constructor(options: ConversationOptions) {
    const { clock, settings, objectId, rows } = options;
    this.#options = options;
    this.#record = options.record;
    this.#journal = new Journal(rows);
    this.delivery = new Delivery(options);
    this.#claims = new Claims(settings);
    this.serverRequests = new ServerRequests(settings.maxWaitForClientMs);
    this.transport = new SessionTransport({
      sessionId: objectId,
      incarnation: this.delivery.nextSequence().toString(36),
      target: {
        clientCapabilities: (): ClientCapabilities | undefined => clientCapabilitiesOf(this.handshake),
        emit: (message, relatedRequestId) => this.#said.emit(message, relatedRequestId),
      },
    });
    this.#introduction = new Introduction({
      clock,
      questions: this.handshake?.questions ?? [],
      store: (questions) => this.#record.noteQuestions(questions),
      answer: (message) => this.transport.receive(message),
      hasClient: () => options.streams.isAttached(this.#said.commonStream),
    });
    const parts = {
      ...options,
      calls: this.calls,
      delivery: this.delivery,
      introduction: this.#introduction,
      journal: this.#journal,
      serverRequests: this.serverRequests,
      transport: this.transport,
    };
    takeOverRequests(parts);
    this.#said = new ServerMessages({ ...parts, endIfAnswered: (stream) => this.endIfAnswered(stream) });
    const spoken = { ...parts, serverMessages: this.#said };
    this.#heard = new ClientMessages(spoken);
    this.#longCalls = new LongCalls(spoken);
    const onRerun = (): void => {
      this.#longCalls.start();
      attempt(() => options.onJournaled());
    };
    this.#server = new RunningServer({
      ...parts,
      answerInterrupted: () => answerInterrupted({ ...spoken, onRerun }),
    });
  }

  /** What is stored of the session; `undefined` before anything is. */
  get handshake(): HandshakeRecord["handshake"] {
    return this.#record.handshake;
  }

  /** Whose session it is; `undefined` before anybody opened it. */
  get holder(): HandshakeRecord["holder"] {
    return this.#record.holder;
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

  /**
   * The answer to a POST of `requests` if its caller may do too little for one of them; to be asked once it is
   * {@linkcode ready}. Where what is out of scope is hidden, a token with other scopes than the last one shows other lists.
   */
  refuseScopes({ requests }: ParsedMessages, request: Request): Promise<Response | undefined> | undefined {
    const authInfo = callerOf(request)?.authInfo;
    const isHidden = authInfo !== undefined && this.#options.settings.outOfScope === "hidden";
    if (isHidden) this.transport.tellChanged(this.#record.takeListsFor(authInfo.scopes.toSorted().join(" ")));
    return requests.length === 0 ? undefined : this.transport.refuseScopes(requests, authInfo);
  }

  /** Hands the messages of one POST to the server and returns its requests as running calls. */
  deliver(
    { messages, requests }: ParsedMessages,
    { extra, ...where }: Parameters<Calls["open"]>[1] & { extra: MessageExtraInfo },
  ): Call[] {
    const nowMs = this.#options.clock();
    const traceparent = extra.request?.headers.get("traceparent");
    const opened = { ...where, traceparent };
    const calls = requests.map((request) => this.calls.open(request, opened, nowMs));
    const freshId = this.#claims.takeFrom(messages, nowMs);
    if (freshId !== undefined) this.#options.onClaim(freshId);
    this.#heard.receive(messages, extra);
    return calls;
  }

  /** Writes down those of `calls` that are still running: from now on they are answered, whatever happens. */
  journalRunning(calls: Call[], request: Request): void {
    for (const call of calls) {
      if (this.calls.get(call.request.id) !== call || call.journalKey !== undefined) continue;
      this.#longCalls.start();
      this.ensureStored();
      const entry = { request: sentIn(call), stream: call.stream, ...storedRequest(request) };
      attempt(() => {
        call.journalKey = this.#journal.add(entry, this.delivery.nextSequence());
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
    const isLeft = streams.presenceOf(stream).is !== "here";
    if (isLeft || this.delivery.outbox.waiting(stream).length === 0) streams.end(stream);
  }

  /** Whether a POST's stream has carried all that it ever will up to `after`. */
  isOver(stream: string, after: number): boolean {
    if (!isPostStream(stream) || this.calls.isStreamBusy(stream)) return false;
    if (this.delivery.outbox.after(stream, after).length > 0) return false;
    return this.#journal.interrupted().every(({ entry }) => entry.stream !== stream);
  }

  /** Ends the session's server and its calls. */
  end(): void {
    this.delivery.stop();
    this.#longCalls.stop();
    this.#record.end();
    for (const { request } of this.calls.all()) this.#said.close(request.id, "cancelled");
    this.#server.end();
  }
}
