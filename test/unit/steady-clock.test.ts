import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { steadyNow } from "../../src/steady-clock.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("where the clock is put back, or forward, time goes on from where it was, no slower", () => {
  vi.setSystemTime(Date.now() + 1_000);
  const startMs = steadyNow();
  expect(startMs).toBe(Date.now());
  const passedMs = (changeMs: number): number => {
    vi.setSystemTime(Date.now() + changeMs);
    return steadyNow() - startMs;
  };
  expect([5, -3_600_000, 5, 0, -1_000, 7, 60_000].map(passedMs)).toEqual([5, 5, 10, 10, 10, 17, 60_017]);
});
