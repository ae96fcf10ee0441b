import { expect, test } from "vitest";
import { monthlyBill, type SessionCost } from "../../lab/bench/cost-model.ts";
import type { Counts } from "../../lab/bench/counts.ts";
import { Rounds } from "../../lab/bench/rounds.ts";

const nothing: Counts = { workerRequests: 0, objectRequests: 0, rowsWritten: 0, pinnedMs: 0 };

/** A session that asks three times to open, once a call, and whose alarm goes off at its end. */
const cost: SessionCost = {
  counts: {
    open: { workerRequests: 3, objectRequests: 3, rowsWritten: 2, pinnedMs: 100 },
    call: { workerRequests: 1, objectRequests: 1 / 20, rowsWritten: 0, pinnedMs: 10 },
    callInBurst: nothing,
    idle: nothing,
    close: { workerRequests: 0, objectRequests: 1, rowsWritten: 1, pinnedMs: 0 },
  },
  diskBytes: 10_000,
  requestCpuMs: 0.5,
};

const usage = { sessions: 1_000, openHours: 24, calls: 10 };

test("a month of sessions is billed by what was counted of one", () => {
  const { quantities } = monthlyBill(usage, cost, "worker");
  expect(quantities.workerRequests).toBe(30_000 * 13);
  expect(quantities.objectRequests).toBe(30_000 * 4.5);
  expect(quantities.rowsWritten).toBe(30_000 * 3);
  expect(quantities.objectGbSeconds).toBeCloseTo(30_000 * 0.2 * 0.128);
  expect(quantities.storedGbMonths).toBeCloseTo(0.01);
});

test("an object that holds its stream is billed for every second of it", () => {
  const { quantities, dollars } = monthlyBill(usage, cost, "object");
  expect(quantities.objectGbSeconds).toBeCloseTo(30_000 * 86_400 * 0.128);
  // 331,776,000 GB-s, of which 400,000 are included, at $12.50 a million.
  expect(dollars.objectGbSeconds).toBeCloseTo(4_142.2);
});

test("what the plan includes costs nothing beyond the plan", () => {
  const { dollars, totalDollars } = monthlyBill({ sessions: 1, openHours: 8, calls: 50 }, cost, "worker");
  expect(Object.entries(dollars).filter(([, value]) => value !== 0)).toEqual([]);
  expect(totalDollars).toBe(5);
});

test("a ratio is of values measured in the same round, and what was not run is no number", () => {
  const rounds = new Rounds();
  for (const [ours, limit] of [
    [2, 1],
    [30, 10],
    [400, 100],
  ] as const) {
    rounds.add("call", "ours", ours);
    rounds.add("call", "limit", limit);
  }
  expect(rounds.ratio("call", "ours", "limit")).toBe(3);
  expect(rounds.median("call", "ours")).toBe(30);
  expect(rounds.median("call", "mcp-agent")).toBeNaN();
  expect(rounds.ratio("call", "ours", "mcp-agent")).toBeNaN();
});
