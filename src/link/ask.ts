import {
  attachHeaders,
  type AttachRequest,
  parseAttach,
  parseStreamEnd,
  type StreamEnd,
  streamEndHeaders,
} from "./attach-request.ts";
import { type Holder, holderHeaders, holderIn, secretHeader } from "./caller.ts";
import { formatPostKey, parsePostKey, type PostKey } from "./post.ts";

/** Where the requests go that no client sent: an object's name is in its stub, not in its URL. */
export const url = "https://session/";

/** What all our headers begin with. A client's own of such a name are lost at the entrance of the Worker. */
export const headerPrefix = "mcp-edge-";

const verbHeader = "mcp-edge-verb";
const [releaseToHeader, postHeader] = ["mcp-edge-release-to", "mcp-edge-post"];

/** `sse-message`, `mcp-message`: a message of a session. `mcp-end` ends one. Their verb says all. */
const clientsVerbs = ["sse-message", "mcp-message", "mcp-end"] as const;

/**
 * To an object that has no session, likewise: see `session/changes.ts`, `user-memory.ts` and `task-book.ts`; `task-question` to
 * the object of a task, see `session/tasks`.
 */
const otherVerbs = ["changes-listen", "changes-tell", "user-memory", "task-book", "task-question"] as const;

type Bare<Verb> = Verb extends string ? { verb: Verb } : never;

/** What the request of a client is for. */
export type ClientAsk =
  | Bare<(typeof clientsVerbs)[number]>
  /** Opens one, whose id has this secret. */
  | { verb: "mcp-initialize"; secret: string }
  /** A call of the stateless revision, which may become a task: its id would have this secret. */
  | { verb: "task-call"; secret: string }
  /** A message that may have come over the WebSocket already, with this key. */
  | { verb: "sse-again"; key: PostKey };

/** What a request to an object is for. */
export type Ask =
  | ClientAsk
  | { verb: "attach"; attach: Omit<AttachRequest, "version"> }
  /** The client of this fresh object is in another session: its relay is to attach to that. */
  | { verb: "release"; sessionId: string; holder: Holder }
  /** The body is what the relay wrote for its client lately: the object may have lost it in a crash. */
  | ({ verb: "return" } & StreamEnd)
  | Bare<(typeof otherVerbs)[number]>;

/** As {@linkcode Ask} comes in. */
export type ParsedAsk = Exclude<Ask, { verb: "attach" }> | { verb: "attach"; attach: AttachRequest };

/** What is asked of a session. */
export type SessionAsk = Exclude<ParsedAsk, { verb: (typeof otherVerbs)[number] | "task-call" }>;

/** The headers that say `ask`. */
export function askHeaders(ask: Ask): Record<string, string> {
  return { [verbHeader]: ask.verb, ...detailsOf(ask) };
}

function detailsOf(ask: Ask): Record<string, string> {
  switch (ask.verb) {
    case "attach":
      return attachHeaders(ask.attach);
    case "release":
      return { ...holderHeaders(ask.holder), [releaseToHeader]: ask.sessionId };
    case "return":
      return streamEndHeaders(ask);
    case "sse-again":
      return { [postHeader]: formatPostKey(ask.key) };
    case "mcp-initialize":
    case "task-call":
      return { [secretHeader]: ask.secret };
    default:
      return {};
  }
}

/** The verb of a request that a client sent and nobody has changed: it is a message, and its headers tell of which transport. */
export function clientsVerb(headers: Headers): "mcp-message" | "sse-message" {
  return headers.has("mcp-session-id") ? "mcp-message" : "sse-message";
}

/** `undefined` for what this version does not know. */
export function parseAsk(headers: Headers): ParsedAsk | undefined {
  const verb = headers.get(verbHeader) ?? clientsVerb(headers);
  switch (verb) {
    case "attach": {
      const attach = parseAttach(headers);
      return attach && { verb, attach };
    }
    case "release":
      return { verb, sessionId: headers.get(releaseToHeader) ?? "", holder: holderIn(headers) };
    case "return":
      return { verb, ...parseStreamEnd(headers) };
    case "sse-again": {
      const key = parsePostKey(headers.get(postHeader) ?? "");
      return key && { verb, key };
    }
    case "mcp-initialize":
    case "task-call":
      return { verb, secret: headers.get(secretHeader) ?? "" };
    default: {
      const known = [...clientsVerbs, ...otherVerbs].find((each) => each === verb);
      return known && { verb: known };
    }
  }
}
