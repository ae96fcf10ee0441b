import { setTimeout as passing } from "node:timers/promises";
import { type Contestant, onWorkerd } from "./contestants.ts";
import { median, type Metric, partShapes, type Rounds } from "./rounds.ts";
import { addends, type BenchSession, openSse, openStreamable } from "./sessions.ts";
import { compareCalls, inTurns, medianCall } from "./turns.ts";

export interface Pace {
  rounds: number;
  /** Calls before anything is measured: the compilers of all contestants need some hundreds. */
  warmUpCalls: number;
  /** In a round, of some calls each. */
  callTurns: number;
  opensPerRound: number;
  throughputTurns: number;
  /** In a round, of each shape. */
  partTurns: number;
  /** How long a turn of calls at once is, milliseconds. */
  throughputMs: number;
  /** Sessions that call at once, as often as they can. */
  throughputSessions: number;
  /** How many calls a session is old when its calls are compared with those of a young one. */
  oldSessionCalls: number;
}

const largeText = "x".repeat(1024 * 1024);
const largeCallsPerRound = 5;

/** Those whose servers have a tool that tells parts. */
const tellsParts = new Set<string>([...onWorkerd, "sdk-express"]);

/** A server may put off what it writes, for up to a second: that must not be the burden of what is measured next. */
const settleMs = 1_200;

/** What a server's storing of a session that was just initialized takes, at most, milliseconds. */
const storedWithinMs = 5;

/** The sessions of a contestant that call: one by itself, the others at once. */
interface Callers {
  contestant: Contestant;
  session: BenchSession;
  many: BenchSession[];
}

/** What a contestant keeps open from round to round. */
interface Bench {
  contestant: Contestant;
  sse: Callers;
  /** Not of all contestants. */
  streamable: Callers | undefined;
  /** Opened in this round. */
  fresh: BenchSession[];
}

/** Measures all contestants, one figure after the other, and each figure of all of them in turns. */
export async function measureSideBySide(contestants: Contestant[], rounds: Rounds, pace: Pace): Promise<void> {
  const benches = await Promise.all(contestants.map((contestant) => prepare(contestant, pace)));
  const sse = benches.map((bench) => bench.sse);
  const streamable = benches.flatMap((bench) => bench.streamable ?? []);
  for (let round = 0; round < pace.rounds; round++) {
    await measureCalls(sse, { latency: "call", throughput: "calls per second", rounds, pace });
    await note({ metric: "large call", rounds, turns: largeCallsPerRound }, sse, ({ session }) =>
      session.call("echo", { text: largeText }),
    );
    const metrics = { latency: "streamable call", throughput: "streamable calls per second" } as const;
    await measureCalls(streamable, { ...metrics, rounds, pace });
    await measureParts(
      sse.filter(({ contestant }) => tellsParts.has(contestant.name)),
      rounds,
      pace,
    );
    await passing(settleMs);
    await measureOpening(benches, rounds, pace);
    await passing(settleMs);
  }
  for (const { session, many } of [...sse, ...streamable]) for (const open of [session, ...many]) open.close();
}

async function prepare(contestant: Contestant, pace: Pace): Promise<Bench> {
  const { port, name } = contestant;
  const callers = async (open: () => Promise<BenchSession>, warmUpCalls: number): Promise<Callers> => {
    const session = await open();
    const many = await Promise.all(Array.from({ length: pace.throughputSessions }, open));
    for (let call = 0; call < warmUpCalls; call++) await session.call("add", addends);
    return { contestant, session, many };
  };
  const sse = await callers(() => opened(openSse(port)), pace.warmUpCalls);
  const streamable = onWorkerd.includes(name)
    ? await callers(() => opened(openStreamable(port)), pace.warmUpCalls / 2)
    : undefined;
  return { contestant, sse, streamable, fresh: [] };
}

async function opened<Session extends BenchSession>(opening: Session | Promise<Session>): Promise<Session> {
  const session = await opening;
  await session.initialize();
  return session;
}

/** Notes the median of `turns` for each of `subjects`. */
async function note<Subject extends { contestant: Contestant }>(
  { metric, rounds, turns }: { metric: Metric; rounds: Rounds; turns: number },
  subjects: Subject[],
  measure: (subject: Subject) => Promise<number>,
): Promise<void> {
  const medians = await inTurns(subjects, turns, (subject) =>
    measure(subject).catch((error: unknown) => {
      throw new Error(`${subject.contestant.name}, ${metric}`, { cause: error });
    }),
  );
  for (const [{ contestant }, value] of medians) rounds.add(metric, contestant.name, value);
}

async function measureCalls(
  callers: Callers[],
  { latency, throughput, rounds, pace }: { latency: Metric; throughput: Metric; rounds: Rounds; pace: Pace },
): Promise<void> {
  await note({ metric: latency, rounds, turns: pace.callTurns }, callers, ({ session }) => medianCall(session));
  await note({ metric: throughput, rounds, turns: pace.throughputTurns }, callers, ({ many }) =>
    callsPerSecond(many, pace.throughputMs),
  );
}

/** Calls whose tool tells progress, part by part, and returns: until the first part, and until the answer. */
async function measureParts(callers: Callers[], rounds: Rounds, { partTurns: turns }: Pace): Promise<void> {
  for (const { title, ...shape } of partShapes) {
    const firsts = new Map(callers.map((caller) => [caller, [] as number[]]));
    await note({ metric: title, rounds, turns }, callers, async (caller) => {
      const { firstMs, ms } = await caller.session.callInParts("tell", shape);
      firsts.get(caller)?.push(firstMs);
      return ms;
    });
    for (const [{ contestant }, values] of firsts) rounds.add(`first of ${title}`, contestant.name, median(values));
  }
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
  const waiting = benches.map(({ contestant, fresh }) => ({ contestant, uninitialized: fresh.values() }));
  await note({ metric: "initialize", rounds, turns }, waiting, async ({ uninitialized }) => {
    const { value: session } = uninitialized.next();
    if (session === undefined) throw new RangeError("every stream that was opened is initialized");
    const ms = await session.initialize();
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

export async function callsPerSecond(sessions: BenchSession[], forMs: number): Promise<number> {
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
    await compareCalls(ages, { name, rounds, turns: pace.callTurns });
    young.close();
  }
  old.close();
}
