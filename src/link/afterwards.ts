/**
 * Resolves once that has left this process which was sent just before, also by another request of it. A 202 waits for it: an
 * answer that is ready goes first, because it is what the client waits for, and a 202 that reached it while the answer is
 * still on its way through this process would be a promise that dies with it.
 *
 * The runtime writes to its connections when its event loop has nothing else to do, in the order in which they were woken,
 * and to read the body of a POST has woken that one already. Only a timer comes after such a round: a promise resolved by
 * another request comes before, as does a timer that was there before, so it cannot be shared.
 */
export function afterwards(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
