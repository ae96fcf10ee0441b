let lastMs = 0;
let aheadMs = 0;

/**
 * Milliseconds since 1970, for what is compared with an earlier time: where the machine's clock is put back it goes on from where
 * it was. On the edge none is; on a machine that was started with a wrong time it may be by hours, and then a stream that is opened
 * would be older than the one in whose place it comes. An alarm that is set by it may be as late as that.
 */
export function steadyNow(): number {
  const nowMs = Date.now();
  aheadMs += Math.max(0, lastMs - nowMs);
  lastMs = nowMs;
  return nowMs + aheadMs;
}
