import { afterEach, expect, test } from "vitest";
import { type Contestant, tasksInHarness, tasksInProcess } from "../../lab/torture/contestants.ts";
import { stages, type TaskOutcome, type TaskPlan, tortureTasks } from "../../lab/torture/task-torture.ts";

// The short form of the lane of tasks of `npm run torture`, with the clients that are packages of this project.
const seed = 20_261_129;
const kinds = ["raw", "ext-tasks"] as const;
const plan = { kinds: [...kinds], cuts: 4, clients: 3, answers: 15, lostAfterMs: 40_000 };

let contestant: Contestant | undefined;
afterEach(() => contestant?.close());

function expectNothingLost({ tallies, faults }: TaskOutcome, { cuts, answers }: TaskPlan): void {
  for (const kind of kinds) {
    const { answered = 0, lost, wrong, notes } = tallies[kind] ?? {};
    expect({ kind, lost, wrong, notes }).toEqual({ kind, lost: 0, wrong: 0, notes: [] });
    expect(answered).toBeGreaterThanOrEqual(answers);
  }
  expect(stages.filter((stage) => faults[stage] < cuts)).toEqual([]);
}

test("through cuts at every stage, evictions and crashes no call that became a task is lost, or answered wrongly", async () => {
  contestant = await tasksInHarness();
  const withObjects = { ...plan, evictions: 8, aborts: 8, kills: 0 };
  const outcome = await tortureTasks(contestant, withObjects, seed);
  expectNothingLost(outcome, withObjects);
  expect(outcome.faults.aborts).toBe(withObjects.aborts);
  expect(outcome.faults.evictions).toBeGreaterThan(0);
}, 600_000);

test("through kill -9 of the whole process, likewise", async () => {
  contestant = await tasksInProcess();
  const withKills = { ...plan, evictions: 0, aborts: 0, kills: 3 };
  const outcome = await tortureTasks(contestant, withKills, seed);
  expectNothingLost(outcome, withKills);
  expect(outcome.faults.kills).toBe(withKills.kills);
}, 600_000);
