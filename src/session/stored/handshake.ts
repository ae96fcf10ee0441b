import type {
  ClientCapabilities,
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
} from "@modelcontextprotocol/server";
import type { Holder } from "../../link/caller.ts";
import { isObject } from "../../protocol/json-rpc.ts";
import { isAtLeast } from "../../protocol/log-level.ts";
import type { Question } from "./introduction.ts";
import type { LateHandshake } from "./late-handshake.ts";
import { changingLists } from "./worker-version.ts";

/** Which transport a session is spoken to by. */
export type Lane = "sse" | "mcp";

type Params = Record<string, unknown>;

/**
 * What a client told its server once and expects it to know for ever. A rebuilt server is told again, so that the
 * client never has to initialize a second time.
 */
export interface Handshake {
  lane: Lane;
  /** The `params` of `initialize`; absent for a client that came back without its old session. */
  initialize?: Params;
  /** The `params` of the last `logging/setLevel`. */
  logLevel?: Params;
  /** URIs of `resources/subscribe` that were not unsubscribed. */
  subscriptions: string[];
  /** The version of the Worker whose lists the client knows, see `versionIn`; absent where none is known. */
  version?: string;
  /** The scopes by which the client knows the lists, if what is out of scope is hidden. */
  scopes?: string;
  /** Of which lists it was promised to hear when they change. */
  lists?: string[];
  /** What the server asked a person while it introduced itself; absent if nothing. */
  questions?: Question[];
  /** Whose session it is, see `Holder`; each absent if it is empty. */
  secret?: string;
  owner?: string;
}

/** Length of all remembered URIs. More are served but not remembered: a bound on what is read at each wake. */
const maxRememberedUris = 64 * 1024;

/** What is to be remembered of a request that the server did not refuse, or `undefined` if nothing. */
function rememberedAfter(handshake: Handshake, { method, params }: JSONRPCRequest): Handshake | undefined {
  if (params === undefined) return undefined;
  switch (method) {
    case "initialize":
      return { ...handshake, initialize: params };
    case "logging/setLevel":
      return { ...handshake, logLevel: { level: params["level"] } };
    case "resources/subscribe":
    case "resources/unsubscribe": {
      const { uri } = params;
      if (typeof uri !== "string") return undefined;
      const others = handshake.subscriptions.filter((subscribed) => subscribed !== uri);
      if (method === "resources/unsubscribe") return { ...handshake, subscriptions: others };
      const subscriptions = [...others, uri];
      return subscriptions.join("").length > maxRememberedUris ? undefined : { ...handshake, subscriptions };
    }
    default:
      return undefined;
  }
}

/** What to tell a rebuilt server, in order, after `initialize`. */
export function requestsToRepeat(handshake: Handshake): { method: string; params: Params }[] {
  const repeats = handshake.subscriptions.map((uri) => ({ method: "resources/subscribe", params: { uri } as Params }));
  if (handshake.logLevel !== undefined) repeats.push({ method: "logging/setLevel", params: handshake.logLevel });
  return repeats;
}

export function clientCapabilitiesOf(handshake: Handshake | undefined): ClientCapabilities | undefined {
  const capabilities = handshake?.initialize?.["capabilities"];
  // What it holds was validated by the SDK when it answered `initialize`.
  return isObject(capabilities) ? capabilities : undefined;
}

/**
 * The handshake of a session that goes on.
 *
 * Storage: by `store`, whenever it changes. Lifetime: the session's.
 */
export class HandshakeRecord {
  readonly #store: LateHandshake["store"];
  readonly #version: string | undefined;
  #handshake: Handshake | undefined;
  /** The scopes of the last caller, see `takeListsFor`. */
  #scopes: string | undefined;
  /** The lane by which the POSTs came that were let in. */
  lane: Lane;
  /** Whose session it is. `undefined` before anybody opened it. */
  holder: Holder | undefined;

  /** `version`: of this Worker, see `versionIn`. */
  constructor(stored: Handshake | undefined, store: LateHandshake["store"], version?: string) {
    this.#store = store;
    this.#version = version;
    this.#handshake = stored;
    this.lane = stored?.lane ?? "sse";
    this.holder = stored && { secret: stored.secret ?? "", owner: stored.owner ?? "" };
  }

  /** `undefined` before anything of the session is stored, and after its end. */
  get handshake(): Handshake | undefined {
    return this.#handshake;
  }

  /** Starts the record, if there is none, so that the session outlives its object's memory. */
  ensure(): void {
    if (this.#handshake === undefined) this.#remember(this.#current());
  }

  /** `request` was answered with a result. */
  noteAnswered(request: JSONRPCRequest, answer: JSONRPCMessage): void {
    const remembered = rememberedAfter(this.#current(), request);
    if (remembered === undefined) return;
    if (request.method !== "initialize") return this.#remember(remembered, { isPromised: true });
    const lists = changingLists(answer);
    const [version, scopes] = [this.#version, this.#scopes];
    this.#remember({
      ...remembered,
      ...(version !== undefined && { version, lists }),
      ...(scopes !== undefined && { scopes, lists }),
    });
  }

  /** The lists that another version of the Worker may have changed since the client read them. Only once for each. */
  takeOutdatedLists(): string[] {
    const handshake = this.#handshake;
    if (handshake?.lists === undefined || this.#version === undefined || handshake.version === this.#version) return [];
    this.#remember({ ...handshake, version: this.#version });
    return handshake.lists;
  }

  /** The lists that a caller with these scopes may see otherwise than the one before. Only once for each change. */
  takeListsFor(scopes: string): string[] {
    const handshake = this.#handshake;
    this.#scopes = scopes;
    if (handshake?.initialize === undefined || handshake.scopes === scopes) return [];
    this.#remember({ ...handshake, scopes });
    return handshake.lists ?? [];
  }

  noteQuestions(questions: Question[]): void {
    this.#remember({ ...this.#current(), questions });
  }

  /**
   * Whether the client wants to hear what its server says: a log message may be below its level. The SDK looks at that
   * itself for what a tool logs through its context, but not for `server.sendLoggingMessage` where sessions have ids.
   */
  wants({ method, params }: JSONRPCNotification | JSONRPCRequest): boolean {
    const wanted = this.#handshake?.logLevel?.["level"];
    if (method !== "notifications/message" || wanted === undefined) return true;
    return isAtLeast(params?.["level"], wanted);
  }

  end(): void {
    this.#handshake = undefined;
  }

  #current(): Handshake {
    if (this.#handshake !== undefined) return this.#handshake;
    const { secret = "", owner = "" } = this.holder ?? {};
    return {
      lane: this.lane,
      subscriptions: [],
      ...(secret && { secret }),
      ...(owner && { owner }),
    };
  }

  #remember(handshake: Handshake, how: { isPromised?: boolean } = {}): void {
    this.#handshake = handshake;
    this.#store(handshake, how);
  }
}
