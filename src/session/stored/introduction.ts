import { AsyncLocalStorage } from "node:async_hooks";
import type { JSONRPCMessage, JSONRPCNotification, JSONRPCRequest, RequestId } from "@modelcontextprotocol/server";
import { errorAnswer, isRequest } from "../../protocol/json-rpc.ts";
import type { AnyServer } from "../../server-context.ts";
import type { Clock } from "../clock.ts";

/** What a client answered, result or error. */
type Answer = { result: unknown } | { error: unknown };

/** What a server asked a person while it introduced itself. */
export interface Question {
  /** By which the client knows it. */
  id: RequestId;
  /** Method and params, as JSON. */
  asked: string;
  /** Absent while it is open. */
  answer?: Answer;
}

/** Length of all questions and answers that are remembered, UTF-16 units of JSON. Others are refused after a rebuild. */
const maxRememberedLength = 64 * 1024;

/** How long a call waits, at most, for a rebuilt server to introduce itself, milliseconds: its client may not answer. */
const maxIntroductionMs = 1_000;

/** Likewise, if nobody is there to answer: after a crash a relay takes a moment to attach again. */
const reattachMs = 200;

/** How long what a rebuilt server says of itself is no news, milliseconds. What it says by a timer later on is its own. */
const noNewsMs = 10_000;

/** What a client shows to a person (revision 2025-11-25, Elicitation and Sampling). */
const personal = new Set(["elicitation/create", "sampling/createMessage"]);

/** A server introduces itself; with `isAgain`, to a client that knows it already. */
interface IntroductionContext {
  isAgain: boolean;
  sinceMs: number;
  /** Whether the introduction is over, for all that still follows from it. Absent: it is over while a call is answered. */
  isOver?: boolean;
}

/** All that follows from an introduction is in one, timers included. One for all sessions of the isolate, as `callContext`. */
const introducing = new AsyncLocalStorage<IntroductionContext>();

export interface IntroductionOptions {
  clock: Clock;
  /** Of earlier runs of the object, in order. */
  questions: readonly Question[];
  /** Writes down what is to be known after a rebuild. */
  store: (questions: Question[]) => void;
  /** Hands an answer to the server. */
  answer: (message: JSONRPCMessage) => void;
  /** Whether a client is there that could be asked. */
  hasClient: () => boolean;
}

/**
 * What a server does on its own account at the beginning of a session: in `oninitialized`, and all that follows from it. A
 * rebuilt server does it again, so that it has again what it set up there; but no person is asked anything twice, and no
 * client is told again what it knows. What a person answered the first time is given to the server again.
 *
 * Storage: the questions and their answers, with the handshake. Lifetime: the session's. Loses: questions beyond
 * `maxRememberedLength`; a rebuilt server that asks one of these, or one that it never asked, is refused.
 */
export class Introduction {
  readonly #options: IntroductionOptions;
  readonly #earlier: readonly Question[];
  readonly #questions: Question[];
  /** The `params` of each `initialize` after which the client said that it is initialized. */
  readonly #begunAfter = new Set<unknown>();
  /** How often each question of earlier runs was asked again. */
  readonly #repeats = new Map<string, number>();
  /** Requests of this run that wait for the answer to a question of an earlier one, by the id of that. */
  readonly #heirs = new Map<RequestId, RequestId[]>();
  /** Requests of a repeated introduction that will be answered soon. */
  readonly #waiting = new Set<RequestId>();
  #answered = Promise.withResolvers<void>();
  /** Resolves when a repeated introduction waits for a person: that may take long. */
  readonly #waitsForPerson = Promise.withResolvers<void>();

  constructor(options: IntroductionOptions) {
    this.#options = options;
    this.#earlier = options.questions;
    this.#questions = [...options.questions];
  }

  /** The client says that it is initialized, after `initialize`, of which only the first time counts. */
  begin(initialize: unknown, tell: () => void): void {
    if (this.#begunAfter.has(initialize)) return;
    this.#begunAfter.add(initialize);
    introducing.run({ isAgain: false, sinceMs: this.#options.clock() }, tell);
  }

  /** A server is built for a client that was initialized before. */
  repeat<Result>(build: () => Promise<Result>): Promise<Result> {
    return introducing.run({ isAgain: true, sinceMs: this.#options.clock() }, build);
  }

  /**
   * Tells a rebuilt `server` that its client is initialized, after `initialize`, and waits, not for long, until it has set up
   * what it does then.
   */
  async repeatInitialized(server: AnyServer, initialize: unknown, tell: () => void): Promise<void> {
    this.#begunAfter.add(initialize);
    const initialized = whenInitialized(server);
    tell();
    if (initialized === undefined) return;
    const { promise: tooLong, resolve } = Promise.withResolvers<void>();
    const timers = [
      setTimeout(() => void (this.#options.hasClient() || resolve()), reattachMs),
      setTimeout(resolve, maxIntroductionMs),
    ];
    await Promise.race([this.#quiet(initialized), this.#waitsForPerson.promise, tooLong]);
    for (const timer of timers) clearTimeout(timer);
  }

  /** Asks a rebuilt server again what `ask` does, such as for a subscription. What it says once it has answered is news. */
  async repeatRequest(ask: () => Promise<unknown>): Promise<void> {
    const context = { isAgain: true, sinceMs: this.#options.clock(), isOver: false };
    await introducing.run(context, ask);
    context.isOver = true;
  }

  /**
   * Whether `message` of the server is seen to here, and not to be sent to the client. `isAnswering`: whether a call runs. Then
   * it counts as said for that call: a connection or a queue that `oninitialized` has opened works for calls later, and by its
   * context would be in the introduction for ever.
   */
  take(message: JSONRPCRequest | JSONRPCNotification, isAnswering: boolean): boolean {
    const context = introducing.getStore();
    const introduction = (context?.isOver ?? isAnswering) ? undefined : context;
    if (isRequest(message)) return introduction !== undefined && this.#takeRequest(message, introduction);
    if (introduction?.isAgain === true && this.#options.clock() - introduction.sinceMs < noNewsMs) return true;
    if (message.method === "notifications/cancelled") this.#noteWithdrawn(message.params?.["requestId"]);
    return false;
  }

  #takeRequest(request: JSONRPCRequest, introduction: IntroductionContext): boolean {
    const { id, method } = request;
    if (!personal.has(method)) {
      if (introduction.isAgain) this.#waiting.add(id);
      return false;
    }
    const asked = JSON.stringify({ method, params: { ...request.params, _meta: undefined } });
    const known = this.#known(asked);
    if (known !== undefined) this.#answerLike(known, id);
    else if (introduction.isAgain) this.#answerSoon(id, errorAnswer(id, neverAsked(method)));
    else this.#remember([...this.#questions, { id, asked }]);
    return known !== undefined || introduction.isAgain;
  }

  /** The client answered a request of the server, of this run or an earlier one. */
  noteAnswer(id: RequestId, message: JSONRPCMessage): void {
    if (this.#waiting.delete(id)) this.#answered.resolve();
    const question = this.#open(id);
    if (question === undefined) return;
    question.answer = "error" in message ? { error: message.error } : { result: "result" in message && message.result };
    this.#remember(this.#questions);
    for (const heir of this.#heirs.get(id) ?? []) this.#answerSoon(heir, question.answer);
  }

  /** Whether a person is still to answer the request `id`, of this run or an earlier one. */
  awaits(id: RequestId): boolean {
    return this.#open(id) !== undefined;
  }

  #open(id: unknown): Question | undefined {
    return this.#questions.find((question) => question.id === id && question.answer === undefined);
  }

  /** The server asks no longer. */
  #noteWithdrawn(id: unknown): void {
    const withdrawn = this.#open(id);
    if (withdrawn !== undefined) this.#remember(this.#questions.filter((other) => other !== withdrawn));
  }

  /** The question of an earlier run that is asked again; the same one asked several times, in the same order. */
  #known(asked: string): Question | undefined {
    const same = this.#earlier.filter((question) => question.asked === asked);
    const repeats = this.#repeats.get(asked) ?? 0;
    this.#repeats.set(asked, repeats + 1);
    return same[Math.min(repeats, same.length - 1)];
  }

  #answerLike({ id: earlierId, answer }: Question, id: RequestId): void {
    if (answer !== undefined) return this.#answerSoon(id, answer);
    // The person still sees the question, and the answer will be to that.
    this.#heirs.set(earlierId, [...(this.#heirs.get(earlierId) ?? []), id]);
    this.#waitsForPerson.resolve();
  }

  /** Not in the turn in which it is asked. */
  #answerSoon(id: RequestId, answer: Answer): void {
    this.#waiting.add(id);
    queueMicrotask(() => {
      this.#options.answer({ jsonrpc: "2.0", id, ...answer } as JSONRPCMessage);
      this.#waiting.delete(id);
      this.#answered.resolve();
    });
  }

  #remember(questions: Question[]): void {
    this.#questions.splice(0, Infinity, ...questions);
    while (JSON.stringify(this.#questions).length > maxRememberedLength) this.#questions.pop();
    this.#options.store([...this.#questions]);
  }

  /** Resolves when `initialized` has, and nothing that will be answered soon is waited for. */
  async #quiet(initialized: Promise<void>): Promise<void> {
    await initialized;
    for (;;) {
      // It need not await what it asks, or does with an answer.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (this.#waiting.size === 0) return;
      await this.#answered.promise;
      this.#answered = Promise.withResolvers<void>();
    }
  }
}

/** Resolves when `server` has done what it does once its client is initialized. `undefined`: it does nothing. */
function whenInitialized(server: AnyServer): Promise<void> | undefined {
  const inner: { oninitialized?: unknown } = "server" in server ? Object(server.server) : server;
  const { oninitialized } = inner;
  if (typeof oninitialized !== "function") return undefined;
  const { promise, resolve } = Promise.withResolvers<void>();
  inner.oninitialized = async () => {
    try {
      await oninitialized.call(inner);
    } finally {
      resolve();
    }
  };
  return promise;
}

function neverAsked(method: string): string {
  return (
    `The session's server was rebuilt, and in oninitialized a person is asked only once: there is no answer to this ` +
    `${method} to give again. Ask in a tool, or keep the answer in memory.`
  );
}
