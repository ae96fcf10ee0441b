import type { TerminalEvent } from "../development.ts";

/** A line of the Worker's log that is an event of ours. */
export type WorkerEvent =
  | TerminalEvent
  | { event: "call"; method: string; name?: string; outcome: string; ms: number; client?: string; session?: string }
  | { event: "session-opened" | "session-resumed" | "session-ended" }
  | { event: "binding-missing"; error: string }
  | { event: "incident"; incident: string; error: string };

/** The event in a line of the log, or `undefined` if it is something else, such as what a tool said. */
export function readEvent(line: string): (WorkerEvent | { event: string }) | undefined {
  if (!line.startsWith('{"event":"')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    // Somebody's own line that only begins alike.
    return undefined;
  }
}
