import { describe, expect, test } from "vitest";
import { Arrivals, type Outcome } from "../../src/session/arrivals.ts";
import { firstKey } from "../../src/session/link.ts";

const accepted: Outcome = { refusal: undefined, answer: "sent" };
const refused: Outcome = { refusal: { status: 409, headers: [], body: "no" }, answer: "none" };

const first = firstKey(1_800_000_000_000);
const another = firstKey(1_800_000_000_001);

/** Arrivals, and which messages ran. */
function open(outcome: Outcome = accepted) {
  const arrivals = new Arrivals();
  const ran: number[] = [];
  const take = (key: number) => (): Promise<Outcome> => {
    ran.push(key - first);
    return Promise.resolve(outcome);
  };
  return {
    arrivals,
    ran,
    carried: (count: number) => arrivals.carried(first + count, take(first + count)),
    again: (count: number) => arrivals.again(first + count, take(first + count)),
  };
}

describe("a POST that came over its stream's WebSocket, and is asked about", () => {
  test("does not run again: who asks is told what became of it", async () => {
    for (const outcome of [accepted, refused]) {
      const { arrivals, ran, carried, again } = open(outcome);
      arrivals.expect(first);
      await carried(1);
      await carried(2);
      expect((await again(1))?.refusal).toEqual(outcome.refusal);
      expect((await again(2))?.refusal).toEqual(outcome.refusal);
      expect(ran).toEqual([1, 2]);
    }
  });

  test("does not run again while it runs: both hear of the one end", async () => {
    const arrivals = new Arrivals();
    arrivals.expect(first);
    const end = Promise.withResolvers<Outcome>();
    const came = arrivals.carried(first + 1, () => end.promise);
    const asked = arrivals.again(first + 1, () => Promise.reject(new Error("it ran twice")));
    end.resolve(refused);
    expect(await came).toBe(refused);
    expect(await asked).toBe(refused);
  });

  test("runs if it never came, once: also if it comes after all", async () => {
    const { arrivals, ran, carried, again } = open();
    arrivals.expect(first);
    await carried(1);
    // The third came, so the second is lost; the fifth is asked about, and the fourth may still come.
    await carried(3);
    await again(2);
    await again(5);
    await carried(4);
    await carried(5);
    await again(2);
    expect(ran).toEqual([1, 3, 2, 5, 4]);
  });

  test("does not run if it may have come to an earlier run of the object: nobody can say", async () => {
    const { arrivals, ran, carried, again } = open();
    expect(again(1)).toBeUndefined();
    arrivals.expect(first + 7);
    expect(again(7)).toBeUndefined();
    // The object slept, and the first it hears of this stream is a POST.
    await arrivals.carried(another + 3, () => Promise.resolve(accepted));
    expect(arrivals.again(another + 2, () => Promise.resolve(accepted))).toBeUndefined();
    await carried(8);
    await again(9);
    expect(ran).toEqual([8, 9]);
  });

  test("a relay that attaches again to the same run of the object has nothing forgotten", async () => {
    const { arrivals, ran, carried, again } = open();
    arrivals.expect(first);
    await carried(1);
    arrivals.expect(first + 2);
    await again(1);
    await again(2);
    expect(ran).toEqual([1, 2]);
  });
});
