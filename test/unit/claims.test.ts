import { describe, expect, test } from "vitest";
import { Claims, claimsAtOnce } from "../../src/session/calls/claims.ts";
import { claimAsks } from "../../src/link/link.ts";

const claimMs = 5_000;
const retryMs = 200;
const startMs = 1_800_000_000_000;

describe("claims of one session", () => {
  test("are passed on as often as a relay asks, also if one answer is slow and the next is quick", () => {
    const claims = new Claims({ claimMs, retryMs });
    const passed = Array.from({ length: claimAsks }, (_, ask) => {
      const slowMs = ask % 2 === 0 ? 300 : 0;
      return claims.take("fresh", startMs + ask * (claimMs / claimAsks) + slowMs);
    });
    expect(passed).toEqual(Array.from({ length: claimAsks }, () => true));
  });

  test("of one stream that come at once are one request", () => {
    const claims = new Claims({ claimMs, retryMs });
    const passed = Array.from({ length: 100 }, () => claims.take("fresh", startMs));
    expect(passed.filter((isPassed) => isPassed)).toHaveLength(1);
  });

  test("are passed on each time, of a client that is cut as soon as it is back, again and again", () => {
    const claims = new Claims({ claimMs, retryMs });
    const passed = Array.from({ length: 1_000 }, (_, cut) => claims.take(`fresh ${cut}`, startMs + cut * retryMs));
    expect(passed.filter((isPassed) => !isPassed)).toEqual([]);
  });

  test("of as many streams as anybody makes up are no more than a client can be cut", () => {
    const claims = new Claims({ claimMs, retryMs });
    let passed = 0;
    for (let atMs = startMs; atMs < startMs + 10 * claimMs; atMs += 10) {
      if (claims.take(`made up ${atMs}`, atMs)) passed += 1;
    }
    // Those of ten times the time, and those that may come at once.
    expect(passed).toBeLessThanOrEqual((10 * claimMs) / retryMs + claimsAtOnce);
    expect(passed).toBeGreaterThanOrEqual((10 * claimMs) / retryMs);
  });
});
