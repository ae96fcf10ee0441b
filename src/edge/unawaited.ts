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

/** Has what a timer throws be a rejection that nobody awaits: of the exception itself the runtime tells no listener. */
export function rejectInTimers(): void {
  for (const name of ["setTimeout", "setInterval"] as const) {
    const start = globalThis[name] as (...args: unknown[]) => number;
    Object.assign(globalThis, {
      [name]: (callback: (...args: unknown[]) => unknown, ...rest: unknown[]): number =>
        start(async (...args: unknown[]) => callback(...args), ...rest),
    });
  }
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
