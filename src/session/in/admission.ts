import type { JSONRPCMessage, MessageExtraInfo } from "@modelcontextprotocol/server";
import type { Settings } from "../../options.ts";
import { readsRetry } from "../../protocol/clients.ts";
import { formatEventId } from "../../protocol/event-id.ts";
import { isRequest, parseBody, type ParsedMessages } from "../../protocol/json-rpc.ts";
import * as refusals from "../../protocol/refusals.ts";
import { type ReadBody, readBody } from "../../stream/request-body.ts";
import { primingFrame, readsPriming } from "../../protocol/sse-frame.ts";
import type { AnswerState } from "./once.ts";
import type { Call } from "../calls/calls.ts";
import type { Clock } from "../clock.ts";
import { type Begun, holdUntilEnded } from "./hold-until-ended.ts";
import { refuseCalls, refuseInitialize } from "./refuse-messages.ts";
import type { Conversation } from "../server/conversation.ts";
import type { Lane } from "../stored/handshake.ts";
import { messageExtra } from "../calls/http-source.ts";
import { LateTimer } from "./late-timer.ts";
import { isSameHolder, shownWith } from "../../link/caller.ts";
import { type CarriedBy, listenStream, sseStream } from "../../link/link.ts";
import { PostStream } from "../out/post-stream.ts";
import type { Streams } from "../out/streams.ts";

export interface PostsOptions {
  clock: Clock;
  sessionId: () => string;
  conversation: Conversation;
  streams: Streams;
  settings: Settings;
  /** Whether the session is over: then nothing of it exists. */
  isEnded: () => boolean;
  /** A message was taken: the session is not abandoned. */
  onTraffic: () => void;
}

/** What became of a POST of an HTTP+SSE session. */
export interface TakenPost {
  refusal: Response | undefined;
  answer: AnswerState;
}

/**
 * What a POST to a session meets, in order: is there a session, is it a message, may it be said now; then its answer.
 * Nothing is accepted that is neither answered nor journaled when its POST is.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #sessionId: () => string;
  readonly #conversation: Conversation;
  readonly #streams: Streams;
  readonly #settings: Settings;
  readonly #isEnded: () => boolean;
  readonly #onTraffic: () => void;
  readonly #lateTimer: LateTimer;

  constructor({ clock, sessionId, conversation, streams, settings, isEnded, onTraffic }: PostsOptions) {
    this.#clock = clock;
    this.#sessionId = sessionId;
    this.#conversation = conversation;
    this.#streams = streams;
    this.#settings = settings;
    this.#isEnded = isEnded;
    this.#onTraffic = onTraffic;
    this.#lateTimer = new LateTimer(settings.journalAfterMs);
  }

  /**
   * A message of an HTTP+SSE session, whose answer comes on the stream. `by`: if a relay carried it; the frame
   * of an answer that is ready at once tells the relay that it was accepted.
   */
  toSse(request: Request, text: string, by?: CarriedBy): TakenPost | Promise<TakenPost> {
    if (!this.exists("sse", request)) return refused(refusals.unknownSession());
    return (
      holdUntilEnded(text, (begun) => this.#toSse(request, text, { by, begun })) ?? refused(refusals.tooMuchAtOnce())
    );
  }

  async #toSse(
    request: Request,
    text: string,
    { by, begun }: { by: CarriedBy | undefined; begun: Begun },
  ): Promise<TakenPost> {
    const parsed = parseBody(text);
    if (!parsed.ok) return refused(refusals.noMessage(parsed));
    const wrongLane = this.refuseOtherLane("sse");
    if (wrongLane !== undefined) return refused(wrongLane);
    await this.#conversation.ready(request, "sse", parsed.messages);
    const tooLittle = await this.#conversation.refuseScopes(parsed, request);
    if (tooLittle !== undefined) return refused(tooLittle);
    // It may have ended while its server was built.
    const refusal = this.#isEnded() ? refusals.unknownSession() : this.#refuseCalls(parsed, text);
    if (refusal !== undefined) return refused(refusal);

    const post = parsed.messages.length === 1 ? by : undefined;
    const json = parsed.batch ? undefined : text;
    const where = { stream: sseStream, extra: messageExtra(request), post, json };
    const calls = begun(this.#conversation.deliver(parsed, where));
    // Also one that nobody initialized: its client may come back for the answer.
    if (calls.length > 0) this.#conversation.ensureStored();
    if (calls.length > 0) await this.#answeredOrLate(Promise.all(calls.map((call) => call.ended)));
    this.#conversation.journalRunning(calls, request);
    this.#onTraffic();
    return { refusal: undefined, answer: this.#answerTo(calls) };
  }

  /** The body of a POST that came by a request. The Worker has seen to its length, if that was declared. */
  read(request: Request): Promise<ReadBody> {
    return readBody(request, this.#settings.maxBodyBytes, this.#lateTimer);
  }

  /** A message of a Streamable HTTP session, or the `initialize` that opens one. */
  async toMcp(request: Request, { isNew }: { isNew: boolean }): Promise<Response> {
    // Before anything is read: so a stranger is told it no later than where there is none.
    if (!isNew && !this.exists("mcp", request)) return refusals.unknownSession();
    const read = await this.read(request);
    if (!read.ok) return read.refusal;
    const { text } = read;
    return (
      (await holdUntilEnded(text, (begun) => this.#toMcp(request, text, { isNew, begun }))) ?? refusals.tooMuchAtOnce()
    );
  }

  async #toMcp(request: Request, text: string, { isNew, begun }: { isNew: boolean; begun: Begun }): Promise<Response> {
    const parsed = parseBody(text);
    // It may have ended while the body was read.
    if (this.#isEnded()) return refusals.unknownSession();
    if (!parsed.ok) return refusals.noMessage(parsed);
    const refusedBefore = this.refuseOtherLane("mcp") ?? refuseInitialize(parsed, { isNew });
    if (refusedBefore !== undefined) return refusedBefore;
    await this.#conversation.ready(request, "mcp", parsed.messages);
    const tooLittle = await this.#conversation.refuseScopes(parsed, request);
    if (tooLittle !== undefined) return tooLittle;
    const refusal = this.#isEnded() ? refusals.unknownSession() : this.#refuseCalls(parsed, text);
    if (refusal !== undefined) return refusal;

    const hasRequests = parsed.requests.length > 0;
    const sequence = this.#conversation.delivery.nextSequence();
    const post = this.#openPost(sequence, {
      batch: parsed.batch,
      version: this.#versionOf(request, parsed.messages),
      retryMs: readsRetry(request.headers) ? this.#settings.retryMs : undefined,
    });
    if (hasRequests) this.#streams.addPost(post);
    const extra = messageExtra(request, this.#closers(post));
    const json = parsed.batch ? undefined : text;
    const calls = begun(this.#conversation.deliver(parsed, { stream: post.name, extra, json }));
    this.#onTraffic();
    if (!hasRequests) return new Response(null, { status: 202 });

    await this.#answeredOrLate(post.response);
    this.#conversation.journalRunning(calls, request);
    this.#conversation.delivery.startEvents(post);
    return await post.response;
  }

  /**
   * The newest revision its client is known to read: what it asked for in `initialize`, or a header that says more.
   * A header that says less is no reason to withhold what the client can read.
   */
  #versionOf(request: Request, [first]: JSONRPCMessage[]): string | undefined {
    const opening = first !== undefined && isRequest(first) && first.method === "initialize" ? first.params : undefined;
    const asked = (opening ?? this.#conversation.handshake?.initialize)?.["protocolVersion"];
    const header = request.headers.get("mcp-protocol-version") ?? undefined;
    if (typeof asked !== "string") return header;
    return header !== undefined && header > asked ? header : asked;
  }

  #openPost(
    sequence: number,
    { batch, version, retryMs }: { batch: boolean; version: string | undefined; retryMs: number | undefined },
  ): PostStream {
    const name = `p${sequence.toString(36)}`;
    const sessionId = this.#sessionId();
    const priming = readsPriming(version)
      ? primingFrame(formatEventId({ sessionId, stream: name, sequence }), retryMs)
      : undefined;
    const { maxStreamBacklogBytes, keepAliveMs } = this.#settings;
    const conversation = this.#conversation;
    return new PostStream({
      batch,
      name,
      sessionId,
      maxStreamBacklogBytes,
      keepAliveMs,
      primingFrame: priming,
      onRead: () => conversation.continueSending(name),
      onLost: () => {
        this.#streams.close(name, this.#clock());
        conversation.endIfAnswered(name);
      },
    });
  }

  /** What lets a tool end a connection and have its client poll (revision 2025-11-25, SEP-1699). */
  #closers(post: PostStream): MessageExtraInfo {
    if (!post.isResumable) return {};
    const { delivery } = this.#conversation;
    return {
      closeSSEStream: () => {
        // What it holds is to be there for the resume.
        delivery.startEvents(post);
        this.#streams.close(post.name, this.#clock());
      },
      closeStandaloneSSEStream: () => this.#streams.close(listenStream, this.#clock()),
    };
  }

  /**
   * Whether there is a session for whoever sent `request`: stored, or with a client on its stream that has said nothing yet.
   * To anybody but its holder it is as if it had never been.
   */
  exists(lane: Lane, request: Request): boolean {
    const { handshake, holder } = this.#conversation;
    if (this.#isEnded() || holder === undefined) return false;
    const isThere = handshake !== undefined || (lane === "sse" && this.#streams.isAttached(sseStream));
    return isThere && isSameHolder(holder, shownWith(request, lane));
  }

  refuseOtherLane(lane: Lane): Response | undefined {
    const { handshake } = this.#conversation;
    return handshake !== undefined && handshake.lane !== lane ? refusals.wrongLane() : undefined;
  }

  #refuseCalls({ requests }: ParsedMessages, json: string): Response | undefined {
    const { calls, delivery } = this.#conversation;
    return refuseCalls({ requests, json }, { calls, outbox: delivery.outbox, settings: this.#settings });
  }

  #answerTo(calls: Call[]): AnswerState {
    if (calls.some((call) => call.isTold)) return "told";
    const { calls: running } = this.#conversation;
    return calls.some((call) => running.get(call.request.id) !== call) ? "sent" : "none";
  }

  /** Waits until what is `answered` is there, at most `journalAfterMs`. */
  #answeredOrLate(answered: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const settle = (): void => {
      this.#lateTimer.delete(settle);
      resolve();
    };
    this.#lateTimer.add(settle);
    void answered.then(settle);
    return promise;
  }
}

function refused(refusal: Response): TakenPost {
  return { refusal, answer: "none" };
}
