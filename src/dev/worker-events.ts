import { stripVTControlCharacters } from "node:util";
import { type TerminalEvent, terminalMark } from "../development.ts";

/** A line of the Worker's log that is an event of ours. */
export type WorkerEvent =
  | TerminalEvent
  | { event: "call"; method: string; name?: string; outcome: string; ms: number; client?: string; session?: string }
  | { event: "session-opened" | "session-resumed" | "session-ended"; lane: string }
  | ErrorEvent;

/** What went wrong, and in what. */
export type ErrorEvent =
  | { event: "incident"; incident: string; error: string }
  | { event: "tool-not-listed"; tool: string; error: string }
  | { event: "prompt-not-listed"; prompt: string; error: string }
  | { event: "result-not-sent"; method: string; name?: string; error: string }
  | { event: "issuer-unreachable"; issuer: string; error: string }
  | { event: OnlyError; error: string };

/** Of which the log says no more than what went wrong. */
type OnlyError =
  | "binding-missing"
  | "usage-not-written"
  | "unawaited"
  | "interrupted"
  | "claim-failed"
  | "not-stored"
  | "too-many-tasks"
  | "unreadable";

type Shape = Record<string, "string" | "number">;
type Shapes<Event extends string> = { [Name in Event]: Shape };

/** What is written for the terminal alone, by the members that it is shown with. */
const toldTerminal: Shapes<TerminalEvent["event"]> = {
  started: { what: "string" },
  ended: { what: "string" },
  thrown: { by: "string", error: "string" },
  failed: { by: "string", message: "string" },
  refused: { header: "string", hostname: "string" },
  "no-memory": {},
};

/** What stands in the log of a deployed server as well: see its events in the README. */
const logged: Shapes<Exclude<WorkerEvent["event"], TerminalEvent["event"]>> = {
  call: { method: "string", outcome: "string", ms: "number" },
  "session-opened": { lane: "string" },
  "session-resumed": { lane: "string" },
  "session-ended": { lane: "string" },
  incident: { incident: "string", error: "string" },
  "binding-missing": { error: "string" },
  unawaited: { error: "string" },
  "result-not-sent": { method: "string", error: "string" },
  "tool-not-listed": { tool: "string", error: "string" },
  "prompt-not-listed": { prompt: "string", error: "string" },
  interrupted: { error: "string" },
  "claim-failed": { error: "string" },
  "not-stored": { error: "string" },
  "too-many-tasks": { error: "string" },
  "usage-not-written": { error: "string" },
  "issuer-unreachable": { issuer: "string", error: "string" },
  unreadable: { error: "string" },
};

/**
 * The event in a line of the log, or `undefined` if it is something else, such as what a tool said: tools write lines of JSON
 * with an `event` as well, and what they say is shown as it is.
 */
export function readEvent(line: string): WorkerEvent | undefined {
  const isTold = line.startsWith(terminalMark);
  if (!isTold && !line.startsWith('{"event":"')) return undefined;
  const value = parsed(isTold ? line.slice(terminalMark.length) : line);
  return value !== undefined && isOf(value, isTold ? toldTerminal : logged) ? (value as WorkerEvent) : undefined;
}

function isOf(value: Record<string, unknown>, shapes: Record<string, Shape>): boolean {
  const { event } = value;
  const shape = typeof event === "string" && Object.hasOwn(shapes, event) ? shapes[event] : undefined;
  return shape !== undefined && Object.entries(shape).every(([member, type]) => typeof value[member] === type);
}

function parsed(json: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(json, (_, value: unknown) => (typeof value === "string" ? printable(value) : value));
  } catch {
    // Somebody's own line that only begins alike.
    return undefined;
  }
}

/** Much of it comes from a client, which has no business in this terminal but to be shown. */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- those are meant
  return stripVTControlCharacters(text).replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, "");
}
