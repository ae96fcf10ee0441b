import type {
  AuthInfo,
  ClientCapabilities,
  JSONRPCMessage,
  JSONRPCRequest,
  MessageExtraInfo,
  RequestId,
  ScopeChallengeHandler,
  Transport,
  TransportSendOptions,
} from "@modelcontextprotocol/server";
import { refuseScopes } from "../../sdk/refuse-scopes.ts";
import { isObject, isRequest, isResponse } from "../../protocol/json-rpc.ts";

/** Where a session's transport puts what the server says. */
export interface TransportTarget {
  /** The client's capabilities, from its `initialize`; `undefined` before. */
  clientCapabilities(): ClientCapabilities | undefined;
  /** Sends `message` to the client. `relatedRequestId` is the request being answered when it was sent. */
  emit(message: JSONRPCMessage, relatedRequestId: RequestId | undefined): void;
}

/** What a client must have declared before it may be asked (revision 2025-11-25, Lifecycle). */
const neededCapability: Record<string, keyof ClientCapabilities> = {
  "sampling/createMessage": "sampling",
  "elicitation/create": "elicitation",
  "roots/list": "roots",
};

const internalPrefix = "mcp-edge:";

/** What comes before a text on the wire, so that "5" is not taken for 5. */
const ownText = "=";

/**
 * The SDK's `Transport` over a session: what an `McpServer`, v1 or v2, is connected to.
 *
 * It lives as long as the object stays in memory. A server numbers its requests from 0 each time it is built, so on the
 * wire each id carries the name of this incarnation: an answer to a request of an earlier one is never taken for its own.
 */
export class SessionTransport implements Transport {
  readonly sessionId: string;
  onmessage?: ((message: JSONRPCMessage, extra?: MessageExtraInfo) => void) | undefined;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;

  readonly #target: TransportTarget;
  readonly #incarnation: string;
  readonly #asked = new Map<RequestId, (answer: JSONRPCMessage) => void>();
  #askCount = 0;
  #challenge: ScopeChallengeHandler | undefined;

  constructor({ sessionId, incarnation, target }: { sessionId: string; incarnation: string; target: TransportTarget }) {
    this.sessionId = sessionId;
    this.#incarnation = incarnation;
    this.#target = target;
  }

  /** Called by an `McpServer` of SDK v2 that is connected: what its tools, resources and prompts ask of a token. */
  setScopeChallengeResolver(challenge: ScopeChallengeHandler): void {
    this.#challenge = challenge;
  }

  /** The answer to a POST of `requests` if its caller may do too little for one of them. */
  refuseScopes(requests: JSONRPCRequest[], authInfo: AuthInfo | undefined): Promise<Response | undefined> | undefined {
    return this.#challenge && refuseScopes(requests, authInfo, this.#challenge);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  /** A tool may close its server. A session ends by its client, or when it is idle: till then it has to answer. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The session is over, and its server is told so. */
  end(): void {
    this.onclose?.();
  }

  /**
   * Called by the SDK for all it has to say.
   * @throws {Error} for a request that the client has not declared it can answer: the tool is told at once.
   */
  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (isResponse(message)) {
      const asked = message.id === undefined ? undefined : this.#asked.get(message.id);
      if (asked === undefined) this.#target.emit(message, undefined);
      else asked(message);
      return;
    }
    let sent: JSONRPCMessage = message;
    if (isRequest(message)) {
      this.#requireCapability(message.method);
      sent = this.#withWireId(message);
    } else if (message.method === "notifications/cancelled" && message.params !== undefined) {
      sent = { ...message, params: { ...message.params, requestId: this.#wireId(message.params["requestId"]) } };
    }
    this.#target.emit(sent, options?.relatedRequestId);
  }

  /** Tells the client that `lists`, such as `tools`, may not be as it knows them. */
  tellChanged(lists: string[]): void {
    for (const list of lists) {
      this.#target.emit({ jsonrpc: "2.0", method: `notifications/${list}/list_changed` }, undefined);
    }
  }

  /** Hands a client's message to the server. */
  receive(message: JSONRPCMessage, extra?: MessageExtraInfo): void {
    if (isResponse(message)) {
      const id = this.#serverId(message.id);
      // An answer to a request of an earlier incarnation: whoever waited for it is gone.
      if (id === undefined) return;
      this.onmessage?.({ ...message, id }, extra);
      return;
    }
    if (!isRequest(message) && message.method === "notifications/progress" && message.params !== undefined) {
      const progressToken = this.#serverId(message.params["progressToken"]);
      if (progressToken === undefined) return;
      this.onmessage?.({ ...message, params: { ...message.params, progressToken } }, extra);
      return;
    }
    this.onmessage?.(message, extra);
  }

  /** Asks the server something on the session's own behalf; the client sees nothing of it. */
  ask(request: Omit<JSONRPCRequest, "id" | "jsonrpc">, extra?: MessageExtraInfo): Promise<JSONRPCMessage> {
    const id = `${internalPrefix}${this.#askCount++}`;
    return new Promise((resolve) => {
      this.#asked.set(id, (answer) => {
        this.#asked.delete(id);
        resolve(answer);
      });
      this.onmessage?.({ ...request, jsonrpc: "2.0", id }, extra);
    });
  }

  /** Answers a server's request in the client's place: it waited too long. */
  refuse(wireId: RequestId, message: string): void {
    this.receive({ jsonrpc: "2.0", id: wireId, error: { code: -32_001, message } });
  }

  #requireCapability(method: string): void {
    const needed = neededCapability[method];
    if (needed === undefined || this.#target.clientCapabilities()?.[needed] !== undefined) return;
    throw new Error(`The client did not declare the capability "${needed}", which ${method} needs.`);
  }

  #withWireId(request: JSONRPCRequest): JSONRPCRequest {
    const mapped = { ...request, id: this.#wireId(request.id) };
    const meta = request.params?._meta;
    if (!isObject(meta) || meta["progressToken"] === undefined) return mapped;
    const progressToken = this.#wireId(meta["progressToken"]);
    return { ...mapped, params: { ...request.params, _meta: { ...meta, progressToken } } };
  }

  /** Ids of the SDK are numbers; a progress token may be a text of the server's own. */
  #wireId(serverId: unknown): string {
    return `${this.#incarnation}:${typeof serverId === "string" ? ownText : ""}${String(serverId)}`;
  }

  #serverId(wireId: unknown): RequestId | undefined {
    if (typeof wireId !== "string" || !wireId.startsWith(`${this.#incarnation}:`)) return undefined;
    const id = wireId.slice(this.#incarnation.length + 1);
    if (id.startsWith(ownText)) return id.slice(ownText.length);
    return Number.isInteger(Number(id)) ? Number(id) : undefined;
  }
}
