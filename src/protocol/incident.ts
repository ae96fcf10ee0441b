import { stackOf } from "./thrown.ts";

/** What is thrown has a message as long as whoever threw it likes, UTF-16 units: so much of its beginning, and of its end. */
const halfLength = 4_000;

/** Writes down a fault of ours, or of a tool's. Returns the number under which the log has it. */
export function logIncident(error: unknown): string {
  const number = crypto.randomUUID();
  console.error(JSON.stringify({ event: "incident", incident: number, error: loggedStack(error) }));
  return number;
}

/** The stack of `error`, and of what caused it, as long as a line of the log may be. */
export function loggedStack(error: unknown): string {
  const stack = stackOf(error);
  return stack.length <= 2 * halfLength ? stack : `${stack.slice(0, halfLength)} … ${stack.slice(-halfLength)}`;
}
