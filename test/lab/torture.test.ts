import { afterEach, expect, test } from "vitest";
import { clientKinds } from "../../lab/torture/clients.ts";
import { type Contestant, edgeInHarness, edgeInProcess, guardedInProcess } from "../../lab/torture/contestants.ts";
import { type Outcome, type Plan, torture } from "../../lab/torture/torture.ts";

// The short form of `npm run torture`: the same faults, fewer of them, from a fixed seed.
const seed = 20_261_120;

/** On a busy machine a client may need seconds until it says which session it was in. */
const options = { claimMs: 20_000 };

let contestant: Contestant | undefined;
afterEach(() => contestant?.close());

function expectNothingLost({ tallies }: Outcome, { answers }: Plan): void {
  const none = { lost: 0, wrong: 0, reinitialized: 0, notes: [] };
  // Of all at once: whether one kind lost something, or each, says where to look.
  const seen = clientKinds.map((kind) => {
    const { lost, wrong, reinitialized, notes } = tallies[kind];
    return { kind, lost, wrong, reinitialized, notes };
  });
  expect(seen).toEqual(clientKinds.map((kind) => ({ kind, ...none })));
  expect(clientKinds.filter((kind) => tallies[kind].answered < answers)).toEqual([]);
  expect(tallies["event-source"].duplicates).toBe(0);
}

test("through cuts, evictions and crashes no client loses a call, gets a wrong answer or another session", async () => {
  contestant = await edgeInHarness(options);
  const plan = { cuts: 90, evictions: 12, aborts: 15, kills: 0, sessions: 2, answers: 25, lostAfterMs: 40_000 };
  const outcome = await torture(contestant, plan, seed);
  expectNothingLost(outcome, plan);
  expect(outcome.faults.cuts).toBeGreaterThanOrEqual(plan.cuts);
  expect(outcome.faults.aborts).toBe(plan.aborts);
  expect(outcome.faults.evictions).toBeGreaterThanOrEqual(plan.evictions);
}, 600_000);

test("through kill -9 of the whole process, with calls in flight, likewise", async () => {
  contestant = await edgeInProcess(options);
  const plan = { cuts: 40, evictions: 0, aborts: 0, kills: 3, sessions: 4, answers: 25, lostAfterMs: 40_000 };
  const outcome = await torture(contestant, plan, seed);
  expectNothingLost(outcome, plan);
  expect(outcome.faults.kills).toBe(plan.kills);
}, 600_000);

test("with a login by keys, likewise", async () => {
  contestant = await guardedInProcess(options);
  const plan = { cuts: 40, evictions: 0, aborts: 0, kills: 2, sessions: 2, answers: 15, lostAfterMs: 40_000 };
  const outcome = await torture(contestant, plan, seed);
  expectNothingLost(outcome, plan);
  expect(outcome.faults.kills).toBe(plan.kills);
}, 600_000);
