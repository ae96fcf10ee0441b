/**
 * Resolves once that has left this process which was sent just before, also by another request of it. A 202 waits for it: an
 * answer that is ready goes first, because it is what the client waits for, and a 202 that reached it while the answer is
 * still on its way through this process would be a promise that dies with it.
 *
 * The runtime writes what a turn of its event loop sends behind that turn, and lets a timer come a turn later. A timer that
 * was there before comes too early, so it cannot be shared.
 */
export function afterwards(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
