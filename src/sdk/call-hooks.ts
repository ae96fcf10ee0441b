import { CLIENT_INFO_META_KEY } from "@modelcontextprotocol/server";
import { type CallLane, type Whose, whoseIs } from "../call-log.ts";
import { incidentMessage } from "../development.ts";
import { isObject } from "../protocol/json-rpc.ts";
import { logIncident } from "../protocol/incident.ts";
import { isTellable } from "../protocol/thrown.ts";
import type { AnyServer } from "../server-context.ts";
import { protocolOf, wrapHandlers } from "./handlers.ts";
import { isRerun } from "./reruns.ts";

/** What of a server is called by hooks: a tool, a resource that is read, a prompt. */
const hooked = ["tools/call", "resources/read", "prompts/get"] as const;

/** One call, as a hook sees it. */
export interface HookedCall {
  /** The request of MCP that it is. */
  method: (typeof hooked)[number];
  /** Of the tool or the prompt; the URI of a resource. */
  name: string;
  /** As the client sent them; a copy, which no tool sees. */
  arguments: Record<string, unknown>;
  /** Who has logged in; absent without a login. */
  user?: { id: string };
  /** What the client says it is. */
  client: { name?: string; version?: string };
  /** What the log calls the session: 8 hexadecimal digits of a hash. Absent in the stateless revision and over stdio. */
  session?: string;
  /** The transport by which it came. */
  lane: CallLane;
  /** The HTTP request that brought the call, also after a crash; its body has been read. Absent over stdio. */
  request?: Request;
  /** Aborted when the call is cancelled. */
  signal: AbortSignal;
  /** The client did not send it just now: it runs again after a crash, or, as a task, with the answers it had asked for. */
  isRerun: boolean;
}

/** What a call is answered with: that of MCP for its method. */
export type CallResult = Record<string, unknown>;

/** Who wants to open a session. */
interface Opening {
  request: Request;
  /** Whether it may be the client of a session that lives: a cut stream comes back as a new one. */
  mayHaveSession: boolean;
}

/**
 * Runs around every tool call, resource read and prompt. `next` runs the call, or the next hook, and gives the result; what a
 * tool throws is by then a result `isError`, as its client sees it. The hook returns that result, or another, or one of its
 * own without `next`. What it throws is its client's error: as it is if it has a numeric `code` and a message (a
 * `ProtocolError`), else as the number of an incident that the log has with its stack. The session goes on.
 */
export interface CallHook {
  (call: HookedCall, next: () => Promise<CallResult>): CallResult | Promise<CallResult>;
  /** Asked before a session is opened. Seconds to wait: it is refused, 429 with `Retry-After`. */
  onOpen?(opening: Opening): Promise<number | undefined>;
}

/** What a lane knows of the calls to one server. */
export interface Caller {
  lane: () => CallLane;
  sessionId?: string | undefined;
  user: { id: string } | undefined;
}

/** Who has logged in, as `context` tells `createServer`: the one place that the log and hooks have it from. */
export function namedIn(context: object): { id: string } | undefined {
  const user: unknown = Reflect.get(context, "user");
  return isObject(user) && typeof user["id"] === "string" ? { id: user["id"] } : undefined;
}

/** A request that is a call. */
interface Hooked extends Pick<HookedCall, "method"> {
  params?: Record<string, unknown> | undefined;
}

/** Runs a call; a span is one, hooks are others. */
type Around = (asked: Hooked, context: unknown, run: () => unknown) => unknown;

/** Has `hooks` run around the calls to `server`, the first outermost, also around those of a tool that is registered later. */
export function hookCalls(server: AnyServer, hooks: readonly CallHook[], caller: Caller): void {
  if (hooks.length === 0) return;
  const whose = whoseIs(caller.sessionId, undefined);
  aroundCalls(server, async (asked, context, run) => {
    const call = callOf(asked, context as Record<string, unknown>, { server, caller, whose: await whose });
    const thrownInside = new Set<unknown>();
    const from = async (index: number): Promise<CallResult> => {
      const hook = hooks[index];
      if (hook !== undefined) return resultOf(await hook(call, () => from(index + 1)));
      try {
        return (await run()) as CallResult;
      } catch (error) {
        thrownInside.add(error);
        throw error;
      }
    };
    try {
      return await from(0);
    } catch (error) {
      // An error of the call itself is none of the hook's, and one with a code is meant for the client.
      if (thrownInside.has(error) || isForClient(error)) throw error;
      throw new Error(incidentMessage(logIncident(error), error), { cause: error });
    }
  });
}

/** Has `around` run each call to `server`. */
export function aroundCalls(server: AnyServer, around: Around): void {
  wrapHandlers(server, (handler, method) => {
    if (!(hooked as readonly string[]).includes(method)) return handler;
    return (request, context) => around(request as Hooked, context, () => handler(request, context));
  });
}

function copyOf(given: Record<string, unknown>): Record<string, unknown> {
  try {
    return structuredClone(given);
  } catch {
    // Nested so deep that nobody can copy it, nor write it down to run it again.
    return given;
  }
}

function isForClient(error: unknown): boolean {
  return isTellable(error) && Number.isSafeInteger(Reflect.get(error, "code"));
}

function resultOf(result: unknown): CallResult {
  if (isObject(result)) return result;
  throw new TypeError("onCall gave no result: end it with `return await next();`.");
}

function callOf(
  { method, params = {} }: Hooked,
  context: Record<string, unknown>,
  { server, caller, whose }: { server: AnyServer; caller: Caller; whose: Whose },
): HookedCall {
  const name = params["name"] ?? params["uri"];
  const given = isObject(params["arguments"]) ? params["arguments"] : {};
  let copy: Record<string, unknown> | undefined;
  const { mcpReq } = context;
  const signal: unknown = isObject(mcpReq) ? mcpReq["signal"] : context["signal"];
  const request = requestIn(context);
  return {
    method,
    name: typeof name === "string" ? name : "",
    // What is written down of the call, runs again after a crash, and is looked for in the log is what the client sent.
    get arguments() {
      return (copy ??= copyOf(given));
    },
    client: clientOf(server, params),
    lane: caller.lane(),
    signal: signal instanceof AbortSignal ? signal : new AbortController().signal,
    isRerun: isRerun(),
    ...(caller.user && { user: caller.user }),
    ...(whose.session !== undefined && { session: whose.session }),
    ...(request && { request }),
  };
}

/** `http.req` is v2's name for it; v1 has its headers and URL. */
export function requestIn({ http, requestInfo }: Record<string, unknown>): Request | undefined {
  if (isObject(http) && http["req"] instanceof Request) return http["req"];
  if (!isObject(requestInfo)) return undefined;
  const { url, headers } = requestInfo;
  return url instanceof URL ? new Request(url, { headers: headers as Record<string, string> }) : undefined;
}

/** What its `initialize` said, or its request in the revision without. */
function clientOf(server: AnyServer, params: Record<string, unknown>): HookedCall["client"] {
  const meta = params["_meta"];
  const introduced: unknown = Reflect.get(protocolOf(server), "_clientVersion");
  const said = (isObject(meta) ? meta[CLIENT_INFO_META_KEY] : undefined) ?? introduced;
  const { name, version } = isObject(said) ? said : {};
  return {
    ...(typeof name === "string" && { name }),
    ...(typeof version === "string" && { version }),
  };
}
