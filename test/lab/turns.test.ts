import { expect, test } from "vitest";
import { inTurns } from "../../lab/bench/turns.ts";

test("every subject has its turn before any has the next one, and the median of its own", async () => {
  const subjects = ["slow", "quick", "steady"];
  const measured: string[] = [];
  const medians = await inTurns(subjects, 5, (subject) => {
    measured.push(subject);
    const turn = Math.ceil(measured.length / subjects.length);
    return Promise.resolve({ slow: 10 * turn, quick: turn, steady: 7 }[subject] ?? Number.NaN);
  });
  expect(Object.fromEntries(medians)).toEqual({ slow: 30, quick: 3, steady: 7 });
  for (let turn = 0; turn < 5; turn++) {
    expect(measured.slice(3 * turn, 3 * turn + 3).sort()).toEqual(["quick", "slow", "steady"]);
  }
});
