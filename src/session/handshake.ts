import type { ClientCapabilities, JSONRPCMessage } from "@modelcontextprotocol/server";
import { isObject, isRequest } from "../protocol/json-rpc.ts";

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
}

/** More are served but not remembered: a bound on what one client can store. */
const maxRememberedSubscriptions = 1_000;

/** What is to be remembered of `message`, or `undefined` if nothing. */
export function rememberedAfter(handshake: Handshake, message: JSONRPCMessage): Handshake | undefined {
  if (!isRequest(message) || message.params === undefined) return undefined;
  const params: Params = message.params;
  switch (message.method) {
    case "initialize":
      return { ...handshake, initialize: params };
    case "logging/setLevel":
      return { ...handshake, logLevel: params };
    case "resources/subscribe":
    case "resources/unsubscribe": {
      const { uri } = params;
      if (typeof uri !== "string") return undefined;
      const others = handshake.subscriptions.filter((subscribed) => subscribed !== uri);
      if (message.method === "resources/unsubscribe") return { ...handshake, subscriptions: others };
      if (others.length >= maxRememberedSubscriptions) return undefined;
      return { ...handshake, subscriptions: [...others, uri] };
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
