import { stackOf } from "./thrown.ts";

/** Writes down a fault of ours, or of a tool's. Returns the number under which the log has it. */
export function logIncident(error: unknown): string {
  const number = crypto.randomUUID();
  console.error(JSON.stringify({ event: "incident", incident: number, error: stackOf(error) }));
  return number;
}
