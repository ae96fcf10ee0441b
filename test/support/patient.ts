import type { EdgeOptions } from "../../src/index.ts";

/** Times that no pause of a busy machine exceeds, for a fixture whose own are short: nothing ends while the test is held up. */
export const patient = {
  claimMs: 30_000,
  keepAliveMs: 20_000,
  maxWaitForClientMs: 600_000,
  reconnectGraceMs: 300_000,
  sessionIdleMs: 3_600_000,
} satisfies EdgeOptions;
