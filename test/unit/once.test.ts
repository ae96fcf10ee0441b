import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Once, type Outcome } from "../../src/session/in/once.ts";
import { formatPostKey, type PostKey } from "../../src/link/link.ts";

const accepted: Outcome = { refusal: undefined, answer: "sent" };
const refused: Outcome = { refusal: { status: 409, headers: [], body: "no" }, answer: "none" };

const key = (sequence: number, epoch = "one"): PostKey => ({ epoch, sequence });

/** Once, and which messages ran. */
function open(outcome: Outcome = accepted) {
  const once = new Once();
  const ran: number[] = [];
  const take = (sequence: number) => (): Promise<Outcome> => {
    ran.push(sequence);
    return Promise.resolve(outcome);
  };
  return {
    once,
    ran,
    carried: (count: number) => once.carried(key(count), take(count)),
    again: (count: number) => once.again(key(count), take(count)),
  };
}

describe("a POST that came over its stream's WebSocket, and is asked about", () => {
  test("does not run again: who asks is told what became of it", async () => {
    for (const outcome of [accepted, refused]) {
      const { once, ran, carried, again } = open(outcome);
      once.expect(key(0));
      await carried(1);
      await carried(2);
      expect((await again(1))?.refusal).toEqual(outcome.refusal);
      expect((await again(2))?.refusal).toEqual(outcome.refusal);
      expect(ran).toEqual([1, 2]);
    }
  });

  test("does not run again while it runs: both hear of the one end", async () => {
    const once = new Once();
    once.expect(key(0));
    const end = Promise.withResolvers<Outcome>();
    const came = once.carried(key(1), () => end.promise);
    const asked = once.again(key(1), () => Promise.reject(new Error("it ran twice")));
    end.resolve(refused);
    expect(await came).toBe(refused);
    expect(await asked).toBe(refused);
  });

  test("runs if it never came, once: also if it comes after all", async () => {
    const { once, ran, carried, again } = open();
    once.expect(key(0));
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
    const { once, ran, carried, again } = open();
    expect(again(1)).toBeUndefined();
    once.expect(key(7));
    expect(again(7)).toBeUndefined();
    // The object slept, and the first it hears of this stream is a POST.
    await once.carried(key(3, "another"), () => Promise.resolve(accepted));
    expect(once.again(key(2, "another"), () => Promise.resolve(accepted))).toBeUndefined();
    await carried(8);
    await again(9);
    expect(ran).toEqual([8, 9]);
  });

  test("a relay that attaches again to the same run of the object has nothing forgotten", async () => {
    const { once, ran, carried, again } = open();
    once.expect(key(0));
    await carried(1);
    once.expect(key(2));
    await again(1);
    await again(2);
    expect(ran).toEqual([1, 2]);
  });

  test("is told apart from those of every other stream, in whatever order they come and are asked about", async () => {
    const posts = fc.record({
      epoch: fc.constantFrom("a", "b", "c"),
      sequence: fc.integer({ min: 1, max: 6 }),
      isAsked: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(posts, { maxLength: 40 }), async (coming) => {
        const once = new Once();
        for (const epoch of ["a", "b", "c"]) once.expect(key(0, epoch));
        const ran: string[] = [];
        for (const { isAsked, ...which } of coming) {
          const take = (): Promise<Outcome> => {
            ran.push(formatPostKey(which));
            return Promise.resolve(accepted);
          };
          await (isAsked ? once.again(which, take) : once.carried(which, take));
        }
        // Each once, and none not at all.
        expect(ran).toEqual([...new Set(coming.map(formatPostKey))]);
      }),
    );
  });
});
