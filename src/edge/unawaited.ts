import { loggedStack } from "../protocol/incident.ts";

/**
 * Writes to the log what a tool did not await, and what became of it: the runtime goes on, and says so only to a debugger.
 * Called once more, it does nothing.
 */
export function logUnawaited(): void {
  addEventListener("unhandledrejection", logRejection);
}

function logRejection({ reason }: PromiseRejectionEvent): void {
  console.error(JSON.stringify({ event: "unawaited", error: loggedStack(reason) }));
}
