import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { isRequest, isResponse } from "../../protocol/json-rpc.ts";
import type { AnyServer } from "../../server-context.ts";
import { type Handshake, type HandshakeRecord, type Lane, requestsToRepeat } from "../stored/handshake.ts";
import { messageExtra } from "../calls/http-source.ts";
import type { Introduction } from "../stored/introduction.ts";
import type { SessionTransport } from "./transport.ts";

export interface RunningServerOptions {
  /** Builds the server. `request` is the one that made it necessary. */
  createServer: (request: Request) => Promise<AnyServer>;
  transport: SessionTransport;
  record: HandshakeRecord;
  introduction: Introduction;
  /** Answers what an earlier run of the object left unanswered, by the server that is connected now. */
  answerInterrupted: () => Promise<void>;
}

/** `built` resolves once the server is ready. */
type State = { is: "none" } | { is: "building"; built: Promise<void> } | { is: "ready"; built: Promise<void> };

/**
 * The server of a session: built when it is needed, and told what its client told an earlier one.
 *
 * Storage: none, see `HandshakeRecord`. Lifetime: the object's time in memory.
 */
export class RunningServer {
  readonly #options: RunningServerOptions;
  #state: State = { is: "none" };
  /** Resolves once a server that is being built takes what its client answers. */
  readonly #listening = Promise.withResolvers<void>();

  constructor(options: RunningServerOptions) {
    this.#options = options;
  }

  get isReady(): boolean {
    return this.#state.is === "ready";
  }

  /** What {@linkcode ready} waits for; `undefined` if nothing began. */
  get building(): Promise<void> | undefined {
    return this.#state.is === "none" ? undefined : this.#state.built;
  }

  /**
   * Builds the server if there is none: connects it, tells it what the client told an earlier one, and answers what that
   * one left unanswered. Rejects with what `createServer` threw; the next request tries again. `lane` and `messages` are
   * those of `request`.
   */
  ready(request: Request, lane: Lane, messages: JSONRPCMessage[]): Promise<void> | undefined {
    if (this.#state.is === "ready") return undefined;
    this.#options.record.lane = lane;
    if (this.#state.is === "none") this.#state = { is: "building", built: this.#begin(request, messages) };
    const { built } = this.#state;
    // The server that is being built may wait for just that.
    const isAnswer = messages.length > 0 && messages.every(isResponse);
    return isAnswer ? Promise.race([this.#listening.promise, built]) : built;
  }

  /** The session is over: what runs in its server is aborted. */
  end(): void {
    if (this.#state.is === "ready") this.#options.transport.end();
  }

  #begin(request: Request, messages: JSONRPCMessage[]): Promise<void> {
    const built = this.#build(request, messages).then(
      () => void (this.#state = { is: "ready", built }),
      (error: unknown) => {
        this.#state = { is: "none" };
        throw error;
      },
    );
    return built;
  }

  async #build(request: Request, messages: JSONRPCMessage[]): Promise<void> {
    const { introduction, record, answerInterrupted } = this.#options;
    const { handshake } = record;
    if (handshake?.initialize === undefined) await this.#connect(request);
    else await introduction.repeat(() => this.#connectAgain(request, handshake, messages));
    await answerInterrupted();
  }

  async #connect(request: Request): Promise<AnyServer> {
    const { createServer, transport } = this.#options;
    const server = await createServer(request);
    await server.connect(transport as never);
    this.#listening.resolve();
    return server;
  }

  async #connectAgain(request: Request, handshake: Handshake, messages: JSONRPCMessage[]): Promise<void> {
    const { introduction, transport } = this.#options;
    const server = await this.#connect(request);
    // What reads who asks finds whoever made this necessary, as `createServer` does.
    const extra = messageExtra(request);
    await transport.ask({ method: "initialize", params: handshake.initialize ?? {} }, extra);
    // Unless the object went away before its client could say so: then the client says it now.
    if (!messages.some(isInitialized)) {
      const tell = (): void => transport.receive({ jsonrpc: "2.0", method: "notifications/initialized" }, extra);
      await introduction.repeatInitialized(server, handshake.initialize, tell);
    }
    // Nobody waits for the answers: a handler of the user's may give none. What comes next is received after them.
    for (const repeat of requestsToRepeat(handshake)) {
      void introduction.repeatRequest(() => transport.ask(repeat, extra));
    }
  }
}

/** The client says that it is initialized (revision 2025-11-25, Lifecycle). */
export function isInitialized(message: JSONRPCMessage): boolean {
  return !isRequest(message) && "method" in message && message.method === "notifications/initialized";
}
