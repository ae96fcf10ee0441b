import { setTimeout as passing } from "node:timers/promises";
import { type Contestant, onWorkerd } from "./contestants.ts";
import { median, type Metric, type Rounds } from "./rounds.ts";
import { type BenchSession, openSse, openStreamable } from "./sessions.ts";

export interface Pace {
  rounds: number;
  /** Calls before anything is measured: the compilers of all contestants need some hundreds. */
  warmUpCalls: number;
  callsPerRound: number;
  opensPerRound: number;
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

/** Calls that take longer than a server's storing of a session that was just initialized: some milliseconds. */
const callsBetween = 20;

const sumOf = (index: number) => ({ a: index, b: 25 });

/** What a contestant keeps open from round to round. */
interface Bench {
  contestant: Contestant;
  session: BenchSession;
  many: BenchSession[];
  streamable: BenchSession | undefined;
  manyStreamable: BenchSession[];
}

/** Measures all contestants in turns: first one block of each, then the next round. */
export async function measureSideBySide(contestants: Contestant[], rounds: Rounds, pace: Pace): Promise<void> {
  const benches = await Promise.all(contestants.map((contestant) => prepare(contestant, pace)));
  for (let round = 0; round < pace.rounds; round++) {
    for (const bench of benches) {
      await measureOne(bench, rounds, pace).catch((error: unknown) => {
        throw new Error(`${bench.contestant.name}, round ${round}`, { cause: error });
      });
    }
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
  for (let call = 0; call < pace.warmUpCalls; call++) await session.call("add", sumOf(call));
  const hasStreamable = onWorkerd.includes(name);
  const openOther = (): Promise<BenchSession> => opened(openStreamable(port));
  const streamable = hasStreamable ? await openOther() : undefined;
  const manyStreamable = hasStreamable
    ? await Promise.all(Array.from({ length: pace.throughputSessions }, openOther))
    : [];
  for (let call = 0; call < pace.warmUpCalls / 2; call++) await streamable?.call("add", sumOf(call));
  return { contestant, session, many, streamable, manyStreamable };
}

async function opened<Session extends BenchSession>(opening: Session | Promise<Session>): Promise<Session> {
  const session = await opening;
  await session.initialize();
  return session;
}

async function measureOne(bench: Bench, rounds: Rounds, pace: Pace): Promise<void> {
  const { contestant, session, streamable } = bench;
  const settle = (): Promise<void> => (onWorkerd.includes(contestant.name) ? passing(settleMs) : Promise.resolve());
  const note = (metric: Metric, value: number): void => rounds.add(metric, contestant.name, value);
  note("call", await medianCall(session, pace.callsPerRound));
  if (streamable !== undefined) note("streamable call", await medianCall(streamable, pace.callsPerRound));
  note("calls per second", await callsPerSecond(bench.many, pace.throughputMs));
  if (streamable !== undefined) {
    note("streamable calls per second", await callsPerSecond(bench.manyStreamable, pace.throughputMs));
  }
  const largeMs: number[] = [];
  for (let call = 0; call < largeCallsPerRound; call++) largeMs.push(await session.call("echo", { text: largeText }));
  note("large call", median(largeMs));
  await settle();
  const { openMs, initializeMs, perSecond } = await measureOpening(contestant.port, {
    opens: pace.opensPerRound,
    other: session,
  });
  note("open", openMs);
  note("initialize", initializeMs);
  note("sessions per second", perSecond);
  await settle();
}

/** The median latency of calls made one after the other. */
export async function medianCall(session: BenchSession, calls: number): Promise<number> {
  const ms: number[] = [];
  for (let call = 0; call < calls; call++) ms.push(await session.call("add", sumOf(call)));
  return median(ms);
}

/**
 * Streams alone, then `initialize` alone, then whole sessions. What a server stores for a session that has just been
 * initialized is the burden of whatever comes next: sessions per second are for that, and calls of `other`, which fill the
 * time until it is done, keep it out of the two latencies without letting the server go cold.
 */
async function measureOpening(
  port: number,
  { opens, other }: { opens: number; other: BenchSession },
): Promise<{ openMs: number; initializeMs: number; perSecond: number }> {
  const sessions: (BenchSession & { openedInMs: number })[] = [];
  for (let open = 0; open < opens; open++) sessions.push(await openSse(port));
  const openMs = median(sessions.map(({ openedInMs }) => openedInMs));
  const initializeMs: number[] = [];
  for (const session of sessions) {
    initializeMs.push(await session.initialize());
    await medianCall(other, callsBetween);
  }
  const startedAt = performance.now();
  for (let open = 0; open < opens; open++) sessions.push(await opened(openSse(port)));
  const perSecond = (opens * 1_000) / (performance.now() - startedAt);
  // Not before: what a server does for a session that ends must not be the burden of the next one.
  for (const session of sessions) session.close();
  return { openMs, initializeMs: median(initializeMs), perSecond };
}

async function callsPerSecond(sessions: BenchSession[], forMs: number): Promise<number> {
  const startedAt = performance.now();
  const until = startedAt + forMs;
  const counts = await Promise.all(
    sessions.map(async (session) => {
      let calls = 0;
      for (; performance.now() < until; calls++) await session.call("add", sumOf(calls));
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
  for (let call = 0; call < pace.oldSessionCalls; call++) await old.call("add", sumOf(call));
  for (let round = 0; round < pace.rounds; round++) {
    const young = await opened(openSse(port));
    for (let call = 0; call < 50; call++) await young.call("add", sumOf(call));
    rounds.add("early call", name, await medianCall(young, 100));
    rounds.add("late call", name, await medianCall(old, 100));
    young.close();
  }
  old.close();
}
