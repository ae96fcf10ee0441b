import { dropOldest } from "../protocol/drop-oldest.ts";

/**
 * What `npm run inspect` asks the development server, and is told. All that uses this is left out where NODE_ENV is not
 * `development`, see `development.ts`: a deployed Worker has nothing of it.
 */

/** The key of `npm start` from the command to the Worker, and from there on to an object, which only the Worker asks. */
export const inspectHeader = "mcp-edge-inspect";
/** Beside it: which session, in whatever form a developer knows it, percent-encoded. Absent: which there are. */
export const inspectedHeader = "mcp-edge-inspect-session";
/** The binding by which the Worker knows the key. */
export const inspectBinding = "MCP_EDGE_INSPECT_KEY";

/** A place where the bytes of a message lie: `memory`, `socket` for the attachment of a WebSocket, or the key of a row. */
export type Resting = string;

/** Times are milliseconds since 1970, sizes bytes. Nothing of it is a key to the session, or what somebody said in it. */
export interface SessionView {
  /** The half of its id that finds the object and opens nothing. */
  session: string;
  /** What the log calls it. */
  logged: string;
  lane: "sse" | "mcp";
  /** When it was looked at. */
  nowMs: number;
  /** `null`: it has not been initialized, or its client came back without its old session. */
  client: { name: unknown; version: unknown; revision: unknown; capabilities: string[] } | null;
  isStored: boolean;
  subscriptions: number;
  /** What the log calls whoever opened it; `null` without a login. */
  owner: string | null;
  /** Whether its server is built. */
  hasServer: boolean;
  streams: StreamView[];
  messages: MessageView[];
  calls: CallView[];
  /** Calls that are written down. */
  journal: JournalView[];
  /** What the server asked its client and has no answer to. */
  asked: AskedView[];
  memory: { key: string; bytes: number }[];
  alarmAtMs: number | null;
}

export type StreamView = { name: string } & (
  | { is: "here"; sinceMs: number; by: "GET" | "POST" }
  /** `null`: it left before this object came into memory. */
  | { is: "away"; sinceMs: number | null }
);

export interface MessageView {
  sequence: number;
  stream: string;
  /** `response to 3`, or a method. */
  what: string;
  bytes: number;
  /** `owed`: nobody was there for it. `waiting`: until its client has read what is before it. */
  is: "owed" | "waiting" | "handed over";
  /** When it was handed over. */
  atMs: number | null;
  lies: Resting[];
}

export interface CallView {
  id: string | number;
  /** Its method, and the tool, prompt or resource. */
  what: string;
  stream: string;
  startedAtMs: number;
  isJournaled: boolean;
}

export interface JournalView {
  key: string;
  id: string | number;
  what: string;
  stream: string;
  reruns: number;
  isRunning: boolean;
}

export interface AskedView {
  id: string | number;
  what: string;
  stream: string;
  /** When it is answered in the client's place. */
  deadlineMs: number | null;
}

/** What the command is told. */
export type Inspected =
  | { is: "session"; session: SessionView }
  /** Those that were seen since the server was started, or served what was saved: the last one first. */
  | { is: "list"; sessions: SessionView[] }
  | { is: "unknown" }
  /** More than one begins so. */
  | { is: "ambiguous"; sessions: string[] };

/** How many are remembered. */
const maxSeen = 1_000;

/** The objects of sessions that something happened in, the last one last. The Worker and its objects share an isolate. */
const seen = new Set<string>();

export function noteSeen(objectId: string): void {
  seen.delete(objectId);
  seen.add(objectId);
  dropOldest(seen, maxSeen);
}

/** The last one first. */
export function seenLately(): string[] {
  return [...seen].toReversed();
}
