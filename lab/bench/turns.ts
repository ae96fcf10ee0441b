import type { ContestantName } from "./contestants.ts";
import { median, type Metric, type Rounds } from "./rounds.ts";
import { addends, type BenchSession } from "./sessions.ts";

/** Few, so that only moments lie between what is compared; more than one, or a core that fell asleep would be measured. */
const callsInTurn = 10;

/**
 * Measures each subject once, then each again, `turns` times, and returns their medians. Every turn has another order:
 * what else the machine does burdens all of them alike.
 */
export async function inTurns<Subject>(
  subjects: readonly Subject[],
  turns: number,
  measure: (subject: Subject) => Promise<number>,
): Promise<Map<Subject, number>> {
  const values = new Map(subjects.map((subject) => [subject, [] as number[]]));
  for (let turn = 0; turn < turns; turn++) {
    for (const [subject, measured] of shuffled([...values])) measured.push(await measure(subject));
  }
  return new Map(Array.from(values, ([subject, measured]) => [subject, median(measured)]));
}

/** In random order. */
export function shuffled<Item>(items: readonly Item[]): Item[] {
  const drawn = items.map((item) => ({ item, lot: Math.random() }));
  return drawn.sort((a, b) => a.lot - b.lot).map(({ item }) => item);
}

/** The median latency of calls made one after the other, milliseconds. */
export async function medianCall(session: BenchSession): Promise<number> {
  const ms: number[] = [];
  for (let call = 0; call < callsInTurn; call++) ms.push(await session.call("add", addends));
  return median(ms);
}

/** Notes how calls in some sessions of one contestant compare. */
export async function compareCalls(
  sessions: readonly { metric: Metric; session: BenchSession }[],
  { name, rounds, turns }: { name: ContestantName; rounds: Rounds; turns: number },
): Promise<void> {
  const medians = await inTurns(sessions, turns, ({ session }) => medianCall(session));
  for (const [{ metric }, value] of medians) rounds.add(metric, name, value);
}
