import { loggedStack } from "../protocol/incident.ts";

/**
 * Writes to the log what a tool neither awaited nor caught: the runtime goes on, and says so only to a debugger. Called once
 * more, it does nothing.
 */
export function logUnawaited(): void {
  addEventListener("unhandledrejection", logRejection);
  // Its types do not know it.
  (globalThis as unknown as EventTarget).addEventListener("error", logException as (event: Event) => void);
}

function logRejection({ reason }: PromiseRejectionEvent): void {
  log(reason);
}

/** Of a microtask, or of a listener of an event. */
function logException(event: ErrorEvent): void {
  event.preventDefault();
  log(event.error);
}

function log(error: unknown): void {
  console.error(JSON.stringify({ event: "unawaited", error: loggedStack(error) }));
}
