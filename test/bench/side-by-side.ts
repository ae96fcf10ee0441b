import { setTimeout as passing } from "node:timers/promises";
import { type Contestant, onWorkerd } from "./contestants.ts";
import type { Metric, Rounds } from "./rounds.ts";
import { addends, type BenchSession, openSse, openStreamable } from "./sessions.ts";
import { inTurns, medianCall } from "./turns.ts";

export interface Pace {
  rounds: number;
  /** Calls before anything is measured: the compilers of all contestants need some hundreds. */
  warmUpCalls: number;
  /** In a round, of some calls each. */
  callTurns: number;
  opensPerRound: number;
  throughputTurns: number;
  /** How long a turn of calls at once is, milliseconds. */
  throughputMs: number;
  /** Sessions that call at once, as often as they can. */
  throughputSessions: number;
  /** How many calls a session is old when its calls are compared with those of a young one. */
  oldSessionCalls: number;
}

const largeText = "x".repeat(1024 * 1024);
const largeCallsPerRound = 5;

/** A server may put off what it writes, for up to a second: that must not be the burden of what is measured next. */
const settleMs = 1_200;

/** What a server's storing of a session that was just initialized takes, at most, milliseconds. */
const storedWithinMs = 5;

/** What a contestant keeps open from round to round. */
interface Bench {
  contestant: Contestant;
  session: BenchSession;
  many: BenchSession[];
  streamable: BenchSession | undefined;
  manyStreamable: BenchSession[];
  /** Opened in this round. */
  fresh: BenchSession[];
}

/** Measures all contestants, one figure after the other, and each figure of all of them in turns. */
export async function measureSideBySide(contestants: Contestant[], rounds: Rounds, pace: Pace): Promise<void> {
  const benches = await Promise.all(contestants.map((contestant) => prepare(contestant, pace)));
  for (let round = 0; round < pace.rounds; round++) {
    await measureCalls(benches, rounds, pace);
    await passing(settleMs);
    await measureOpening(benches, rounds, pace);
    await passing(settleMs);
  }
  for (const { session, many, streamable, manyStreamable } of benches) {
    for (const open of [session, ...many, ...manyStreamable]) open.close();
    streamable?.close();
  }
}

async function prepare(contestant: Contestant, pace: Pace): Promise<Bench> {
  const { port, name } = contestant;
  const open = (): Promise<BenchSession> => opened(openSse(port));
  const session = await open();
  const many = await Promise.all(Array.from({ length: pace.throughputSessions }, open));
  for (let call = 0; call < pace.warmUpCalls; call++) await session.call("add", addends);
  const hasStreamable = onWorkerd.includes(name);
  const openOther = (): Promise<BenchSession> => opened(openStreamable(port));
  const streamable = hasStreamable ? await openOther() : undefined;
  const manyStreamable = hasStreamable
    ? await Promise.all(Array.from({ length: pace.throughputSessions }, openOther))
    : [];
  for (let call = 0; call < pace.warmUpCalls / 2; call++) await streamable?.call("add", addends);
  return { contestant, session, many, streamable, manyStreamable, fresh: [] };
}

async function opened<Session extends BenchSession>(opening: Session | Promise<Session>): Promise<Session> {
  const session = await opening;
  await session.initialize();
  return session;
}

/** Notes the median of `turns` for each of `benches`. */
async function note(
  { metric, rounds, turns }: { metric: Metric; rounds: Rounds; turns: number },
  benches: Bench[],
  measure: (bench: Bench) => Promise<number>,
): Promise<void> {
  const medians = await inTurns(benches, turns, (bench) =>
    measure(bench).catch((error: unknown) => {
      throw new Error(`${bench.contestant.name}, ${metric}`, { cause: error });
    }),
  );
  for (const [{ contestant }, value] of medians) rounds.add(metric, contestant.name, value);
}

async function measureCalls(benches: Bench[], rounds: Rounds, pace: Pace): Promise<void> {
  const { callTurns: turns, throughputTurns, throughputMs } = pace;
  await note({ metric: "call", rounds, turns }, benches, ({ session }) => medianCall(session));
  await note({ metric: "calls per second", rounds, turns: throughputTurns }, benches, ({ many }) =>
    callsPerSecond(many, throughputMs),
  );
  await note({ metric: "large call", rounds, turns: largeCallsPerRound }, benches, ({ session }) =>
    session.call("echo", { text: largeText }),
  );
  const streamable = benches.filter(({ manyStreamable }) => manyStreamable.length > 0);
  await note({ metric: "streamable call", rounds, turns }, streamable, async ({ streamable: session }) =>
    session === undefined ? Number.NaN : await medianCall(session),
  );
  await note(
    { metric: "streamable calls per second", rounds, turns: throughputTurns },
    streamable,
    ({ manyStreamable }) => callsPerSecond(manyStreamable, throughputMs),
  );
}

/**
 * Streams alone, then `initialize` alone, then whole sessions. What a server stores for a session that has just been
 * initialized is the burden of whatever comes next: sessions per second are for that, and it is waited for before the
 * next `initialize`.
 */
async function measureOpening(benches: Bench[], rounds: Rounds, pace: Pace): Promise<void> {
  const { opensPerRound: turns } = pace;
  await note({ metric: "open", rounds, turns }, benches, async (bench) => {
    const session = await openSse(bench.contestant.port);
    bench.fresh.push(session);
    return session.openedInMs;
  });
  const uninitialized = new Map(benches.map((bench) => [bench, bench.fresh.values()]));
  await note({ metric: "initialize", rounds, turns }, benches, async (bench) => {
    const ms = (await uninitialized.get(bench)?.next().value?.initialize()) ?? Number.NaN;
    await passing(storedWithinMs);
    return ms;
  });
  await note({ metric: "sessions per second", rounds, turns: 1 }, benches, async (bench) => {
    const startedAt = performance.now();
    for (let open = 0; open < turns; open++) bench.fresh.push(await opened(openSse(bench.contestant.port)));
    return (turns * 1_000) / (performance.now() - startedAt);
  });
  // Not before: what a server does for a session that ends must not be the burden of the next one.
  for (const bench of benches) for (const session of bench.fresh.splice(0)) session.close();
}

async function callsPerSecond(sessions: BenchSession[], forMs: number): Promise<number> {
  const startedAt = performance.now();
  const until = startedAt + forMs;
  const counts = await Promise.all(
    sessions.map(async (session) => {
      let calls = 0;
      for (; performance.now() < until; calls++) await session.call("add", addends);
      return calls;
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  return counts.reduce((sum, count) => sum + count, 0) / seconds;
}

/** Whether a session grows slower with its calls: an old session against young ones of the same process. */
export async function measureOldSession(contestant: Contestant, rounds: Rounds, pace: Pace): Promise<void> {
  const { port, name } = contestant;
  const old = await opened(openSse(port));
  for (let call = 0; call < pace.oldSessionCalls; call++) await old.call("add", addends);
  for (let round = 0; round < pace.rounds; round++) {
    const young = await opened(openSse(port));
    for (let call = 0; call < 50; call++) await young.call("add", addends);
    const ages = [
      { metric: "early call", session: young },
      { metric: "late call", session: old },
    ] as const;
    const medians = await inTurns(ages, pace.callTurns, ({ session }) => medianCall(session));
    for (const [{ metric }, value] of medians) rounds.add(metric, name, value);
    young.close();
  }
  old.close();
}
