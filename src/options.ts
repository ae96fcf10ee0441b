import type { Auth, Authenticate } from "./auth/auth.ts";
import { checkHostnames, checkOneOf, checkPath, shown } from "./option-checks.ts";
import type { CallHook } from "./sdk/call-hooks.ts";

/** Options of {@linkcode edge}. Times are milliseconds, sizes bytes; the description of each ends with its default. */
export interface EdgeOptions<Env = Cloudflare.Env> {
  /**
   * Who may call: what `keys`, `jwt` or `fromContext` returned, or a function of your own. Sessions then belong to whoever
   * opened them. Absent: everybody.
   */
  auth?: Auth<Env> | Authenticate<Env>;
  /** Path of the HTTP+SSE lane, matched without regard to case. Default `/sse`. */
  ssePath?: string;
  /** Path of Streamable HTTP and of the stateless revision. Default `/mcp`. */
  mcpPath?: string;
  /**
   * What clients see before `ssePath` when a proxy in front strips it: `/tools` for `https://example.com/tools/sse`.
   * The `endpoint` that a client receives then begins with it. Default none.
   */
  publicPath?: string;
  /**
   * What becomes of a tool, a resource or a prompt that asks for scopes (`scopeChallenge`), for callers who lack one.
   * `"challenged"`: it is listed, and a call is refused, 403, with the scopes, for which a client can log in again. `"hidden"`:
   * it is not listed, and to them it does not exist; a session whose caller comes by a token with other scopes is told that its
   * lists have changed. `"challenged"`.
   */
  outOfScope?: "challenged" | "hidden";
  /**
   * What a client is told that asks which revisions there are (`server/discover` of revision 2026-07-28). `"offered"`: the
   * stateless one, in which it has no session, no `memory`, and a call that is cut is lost. `"preferred"`: the revisions with
   * sessions only; one that speaks both then initializes a session, one that speaks only 2026-07-28 may refuse. Its direct
   * requests are served either way. `"offered"`.
   */
  sessions?: "offered" | "preferred";
  /** Name of the Durable Object binding in wrangler.toml. Default `SESSION`. */
  binding?: string;
  /**
   * Hostnames whose web pages may connect, besides localhost and the server's own; `"*"` for every page.
   * A page elsewhere could otherwise use a visitor's network position (revision 2025-11-25, Security Warning). None.
   */
  allowedOrigins?: readonly string[] | "*";
  /**
   * Hostnames under which a server of your own may be reached, `npm start` or `mcp-edge serve`, besides localhost and IP
   * addresses: that of your machine or container, and that of your route, which `wrangler dev` writes over every other.
   * Against DNS rebinding; on the edge the route decides, and this does nothing. None.
   */
  allowedHosts?: readonly string[];
  /**
   * Runs around every tool call, resource read and prompt, in every lane: it can look on, answer instead, change the answer
   * or refuse. Of several the first is the outermost. None.
   */
  onCall?: CallHook | readonly CallHook[];
  /** Largest POST body, counted while reading and before parsing, so that a hostile body costs nothing. 4 MiB. */
  maxBodyBytes?: number;
  /**
   * Requests of one session that may run at once, if they are not longer in all than twice `maxBodyBytes`. Both bound the
   * memory of one object. 256.
   */
  maxCallsInFlight?: number;
  /** What a session's `memory`, and a user's, may hold in all, keys and JSON as UTF-8. It lives in one object beside everything else. 1 MiB. */
  maxMemoryBytes?: number;
  /** What `auth` may say of a caller, as JSON: it goes along with each message to a session. 32 KiB. */
  maxCallerBytes?: number;
  /** Largest message to a session's client; what is larger becomes an error, of the call or in the tool. At most 31 MiB. 5 MiB. */
  maxMessageBytes?: number;
  /**
   * Sent messages kept for a client that may not have got them; notifications go first. At least `maxStreamBacklogBytes` and
   * `maxMessageBytes` together. 8 MiB.
   */
  maxOutboxBytes?: number;
  /** Messages kept, likewise. 10,000. */
  maxOutboxMessages?: number;
  /**
   * What may wait in the Worker for a client to read; the rest waits in its session. A client that reads nothing during two
   * keep-alives has its stream closed, and can resume. 3 MiB.
   */
  maxStreamBacklogBytes?: number;
  /**
   * Clients of the stateless revision that may listen for changes at once in one isolate (`subscriptions/listen`). One more takes
   * the place of whoever is gone, or of the oldest of the network that has most; else it is refused. 1,024.
   */
  maxSubscriptions?: number;
  /** How often a quiet stream gets a comment: proxies cut after 60 s, the edge after 5 min. At most 25 s. 20 s. */
  keepAliveMs?: number;
  /** What clients are told to wait before they reconnect (`retry:`); their own default is 3 s. 200 ms. */
  retryMs?: number;
  /** How long a reconnecting client has to say which session it was in, before it is given a new one. 5 s. */
  claimMs?: number;
  /** A request that is not answered by now, or by half of it, is written down, and its POST answered: 202, on `mcpPath` by a stream. 250 ms. */
  journalAfterMs?: number;
  /** How often a long call reports progress by itself, if its client asked for progress and the tool is silent. 5 s. */
  progressEveryMs?: number;
  /**
   * How long a call may wait for its client's answer (elicitation, sampling, roots). What asks by the SDK's `elicitInput` and its
   * like gives up after the `timeout` that it is given there, which is 60 s by default. 10 min.
   */
  maxWaitForClientMs?: number;
  /**
   * How long the calls of a client that is gone run on before they are aborted, and what was said in answer to a POST of
   * Streamable HTTP is kept for a resume. What an HTTP+SSE session owes is kept as long as the session. Answers are kept
   * for 2 keep-alives and 5 s at least: so long it may take to notice a dead connection. 5 min.
   */
  reconnectGraceMs?: number;
  /** A session without stream and traffic for this long is deleted. 1 h. */
  sessionIdleMs?: number;
  /**
   * A tool call of the stateless revision that is not answered by now becomes a task, if its client reads tasks (the
   * extension `io.modelcontextprotocol/tasks`). 5 s.
   */
  taskAfterMs?: number;
  /**
   * How long a task is kept after its last change: as long it may run, or wait for its client, and as long its result can be
   * had. 1 h.
   */
  taskTtlMs?: number;
  /**
   * Tasks of one user that are kept at once; without a login, of one network (an IPv4 address, 64 bits of IPv6). Each keeps an
   * object busy while it runs, and a result on disk. A call beyond it does not become a task: it is answered when it has
   * ended, on its connection. 256.
   */
  maxTasks?: number;
}

/** {@linkcode EdgeOptions} with every default filled in, but `auth`, which has none. */
export interface Settings extends Omit<Required<EdgeOptions>, "auth" | "allowedHosts" | "onCall"> {
  /** `"*"`: whatever arrives. */
  allowedHosts: readonly string[] | "*";
  onCall: readonly CallHook[];
}

const defaults: Settings = {
  ssePath: "/sse",
  mcpPath: "/mcp",
  publicPath: "",
  outOfScope: "challenged",
  sessions: "offered",
  binding: "SESSION",
  allowedOrigins: [],
  allowedHosts: [],
  onCall: [],
  maxBodyBytes: 4 * 1024 * 1024,
  maxCallsInFlight: 256,
  maxMemoryBytes: 1024 * 1024,
  maxCallerBytes: 32 * 1024,
  maxMessageBytes: 5 * 1024 * 1024,
  maxOutboxBytes: 8 * 1024 * 1024,
  maxOutboxMessages: 10_000,
  maxStreamBacklogBytes: 3 * 1024 * 1024,
  maxSubscriptions: 1_024,
  keepAliveMs: 20_000,
  retryMs: 200,
  claimMs: 5_000,
  journalAfterMs: 250,
  progressEveryMs: 5_000,
  maxWaitForClientMs: 10 * 60_000,
  reconnectGraceMs: 5 * 60_000,
  sessionIdleMs: 60 * 60_000,
  taskAfterMs: 5_000,
  taskTtlMs: 60 * 60_000,
  maxTasks: 256,
};

/** Options that are one of these words. */
const words: Partial<Record<string, readonly string[]>> = {
  outOfScope: ["challenged", "hidden"],
  sessions: ["offered", "preferred"],
};

/** The platform's limit for a WebSocket message, 32 MiB, less what a message is wrapped in. */
const maxCarriedBytes = 31 * 1024 * 1024;

/** Of any number. As milliseconds some 95 years: for much later dates the platform sets no alarm. */
const most = 3e12;

/**
 * Fills in the defaults.
 * @throws {RangeError} at start-up for an unknown name, a value of another type, a number that is not a
 * positive integer, or more than the platform or a proxy bears, and a path or a hostname that no request can have.
 */
export function resolveOptions(options: Omit<EdgeOptions, "auth">): Settings {
  // Nothing checks types before `npm start` and a deploy.
  for (const [name, value] of Object.entries(options)) checkValue(name, value);
  const settings: Settings = { ...defaults, ...options, onCall: hooksIn(options.onCall) };
  for (const name of ["ssePath", "mcpPath", "publicPath"] as const) checkPath(name, settings[name]);
  if (settings.keepAliveMs > 25_000) {
    throw new RangeError(`keepAliveMs is at most 25,000, not ${settings.keepAliveMs}: proxies cut a quiet stream.`);
  }
  if (settings.maxMessageBytes > maxCarriedBytes) {
    throw new RangeError(`maxMessageBytes is at most ${maxCarriedBytes}: no WebSocket of the platform carries more.`);
  }
  const leastOutboxBytes = settings.maxStreamBacklogBytes + settings.maxMessageBytes;
  if (settings.maxOutboxBytes < leastOutboxBytes) {
    throw new RangeError(
      `maxOutboxBytes is at least maxStreamBacklogBytes + maxMessageBytes, ${leastOutboxBytes}, not ` +
        `${settings.maxOutboxBytes}: it keeps what a cut loses.`,
    );
  }
  return settings;
}

function checkValue(name: string, value: unknown): void {
  if (!Object.hasOwn(defaults, name)) {
    throw new RangeError(`There is no option ${name}. There are auth, ${Object.keys(defaults).join(", ")}.`);
  }
  if (name === "onCall") return void hooksIn(value);
  const known = words[name];
  if (known !== undefined) return checkOneOf(name, value, known);
  const type = typeof defaults[name as keyof Settings];
  if (type === "object") return checkHostnames(name, value, { mayBeEvery: name === "allowedOrigins" });
  if (typeof value !== "number" && typeof value === type) return;
  if (type === "number" && Number.isInteger(value) && Number(value) > 0 && Number(value) <= most) return;
  // Half a millisecond is none in `retry:`, and half a call is never served.
  const wanted =
    type !== "number"
      ? type
      : typeof value === "number" && value > 0
        ? `positive integer up to ${most}`
        : "positive number";
  throw new RangeError(`${name} is a ${wanted}, not ${shown(value)}.`);
}

/**
 * One hook, or several, as an array.
 * @throws {RangeError} for what is no function.
 */
export function hooksIn(onCall: unknown = []): readonly CallHook[] {
  const hooks: unknown[] = [onCall].flat();
  if (hooks.every((hook): hook is CallHook => typeof hook === "function")) return hooks;
  throw new RangeError(`onCall is a function (call, next) => next(), or an array of such, not ${shown(onCall)}.`);
}
