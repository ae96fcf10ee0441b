import type { AuthInfo } from "@modelcontextprotocol/server";
import type { Caller } from "../auth/auth.ts";
import { isObject } from "../protocol/json-rpc.ts";
import { sealed } from "../protocol/sealed-request.ts";
import { secretIn } from "../protocol/session-id.ts";

/**
 * Who sends what, between the Worker, which asks the `auth` of its user, and the object, which only believes the Worker. Names
 * of the headers have a word in them by which the platform's logs leave their values out.
 */

/** A client's message: a {@linkcode KnownCaller}, as JSON. */
export const callerHeader = "mcp-edge-auth-caller";
/** `attach`, `return`, `release`: the {@linkcode Holder} that the Worker, or the other object, speaks for. */
const ownerHeader = "mcp-edge-auth-owner";
/** Likewise, and the `initialize` that opens a session of Streamable HTTP. */
export const secretHeader = "mcp-edge-secret";

/** What a session asks of whoever comes: both are those of whoever opened it. */
export interface Holder {
  /** That of the session's id, see `session-id.ts`. Empty: opened by the release before. */
  secret: string;
  /** The hash of the principal. Empty: opened without a login. */
  owner: string;
}

/** A caller, and the hash of the principal: all that is kept of it. */
export interface KnownCaller extends Caller {
  owner: string;
}

const callers = new WeakMap<Request, KnownCaller>();

/** Who sent `request`; `undefined` without a login. */
export function callerOf(request: Request): KnownCaller | undefined {
  return callers.get(request);
}

/** The hash of the principal who sent `request`; empty without a login. */
export function ownerOf(request: Request): string {
  return callers.get(request)?.owner ?? "";
}

/** `undefined`: it is as if there were no login. */
export function noteCaller(request: Request, caller: KnownCaller | undefined): void {
  if (caller !== undefined) callers.set(request, caller);
}

/** One line of ASCII, as headers are, whatever a name is written in. */
export function packCaller(caller: KnownCaller): string {
  return JSON.stringify(caller).replaceAll(
    /[^\u0020-\u007e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** @throws {TypeError} for what no Worker sent. */
export function unpackCaller(json: string): KnownCaller {
  const caller: unknown = JSON.parse(json);
  if (!isObject(caller) || !isObject(caller["authInfo"])) throw new TypeError("that is no caller");
  const { principal, owner, authInfo } = caller;
  return { principal: String(principal), owner: String(owner), authInfo: readAuthInfo(authInfo) };
}

/** JSON has no URLs. */
function readAuthInfo(authInfo: Record<string, unknown>): AuthInfo {
  const { token = "", clientId, scopes, resource, ...rest } = authInfo;
  const url = typeof resource === "string" ? URL.parse(resource) : null;
  return {
    ...rest,
    token: String(token),
    clientId: String(clientId),
    scopes: Array.isArray(scopes) ? scopes.map(String) : [],
    ...(url && { resource: url }),
  };
}

/** A client's message as it came to the Worker, which said who sent it. Without a login: as it is. */
export function asItCame(request: Request): Request {
  const packed = request.headers.get(callerHeader);
  if (packed === null) return request;
  const headers = new Headers(request.headers);
  headers.delete(callerHeader);
  const came = sealed(new Request(request, { headers }));
  noteCaller(came, unpackCaller(packed));
  return came;
}

/** What a client shows with a message of HTTP+SSE, whose endpoint is in its URL, or of Streamable HTTP. */
export function shownWith(request: Request, lane: "sse" | "mcp"): Holder {
  const inUrl = lane === "sse" ? /[?&]sessionId=([0-9a-f]*)/.exec(request.url)?.[1] : undefined;
  const sessionId = inUrl ?? request.headers.get("mcp-session-id") ?? "";
  return { secret: secretIn(sessionId), owner: ownerOf(request) };
}

/** The holder that the headers of a request name which no client sent. */
export function holderIn(headers: Headers): Holder {
  return { secret: headers.get(secretHeader) ?? "", owner: headers.get(ownerHeader) ?? "" };
}

export function holderHeaders({ secret, owner }: Holder): Record<string, string> {
  return {
    ...(secret && { [secretHeader]: secret }),
    ...(owner && { [ownerHeader]: owner }),
  };
}

export function isSameHolder(one: Holder, other: Holder): boolean {
  return isEqual(one.secret, other.secret) && isEqual(one.owner, other.owner);
}

/** Takes as long for the first difference as for the last one. */
function isEqual(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at++) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}
