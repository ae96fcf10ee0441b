/**
 * Resolves once that has left this process which was sent just before, also by another request of it: the runtime writes
 * what a turn of its event loop sends behind that turn, and lets a timer come a turn later. A timer that was there before
 * comes too early, so it cannot be shared.
 */
export function afterwards(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
