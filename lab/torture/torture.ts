import { type ClientKind, clientKinds, connectClient } from "./clients.ts";
import type { Contestant } from "./contestants.ts";
import type { CutMode } from "./cut.ts";
import { CuttingProxy } from "./cutting-proxy.ts";
import { Random } from "./random.ts";
import { emptyTally, keepCalling, type Tally, type Tortured } from "./workload.ts";

/** How many faults of each kind a run has at least. */
export interface Plan {
  cuts: number;
  evictions: number;
  aborts: number;
  kills: number;
  /** Sessions of each kind of client. */
  sessions: number;
  /** So many calls of each kind of client are answered before it ends, however slow the machine is. */
  answers: number;
  /** A call that is not answered by then is lost, milliseconds. The clients' own limit is 60 s. */
  lostAfterMs: number;
}

export interface Outcome {
  contestant: string;
  faults: { cuts: number; evictions: number; aborts: number; kills: number };
  tallies: Record<ClientKind, Tally>;
  /** See `measureSingleCuts`; where it was measured. */
  addedMs?: Record<ClientKind, number[]>;
}

const modes: readonly CutMode[] = ["rst", "rst", "fin", "fin", "black-hole"];
/** Between two faults, milliseconds: all sessions together suffer one this often. */
const pauseMs = { least: 10, most: 55 };
/** Between two kills, milliseconds: the sessions come back and calls are in flight again. */
const betweenKillsMs = 1_500;

/** Runs calls on many sessions of every client while faults happen to them, and counts what became of the calls. */
export async function torture(contestant: Contestant, plan: Plan, seed: number): Promise<Outcome> {
  const random = new Random(seed);
  const tallies = { "sdk-v1": emptyTally(), "sdk-v2": emptyTally(), "event-source": emptyTally() };
  const sessions = await openSessions(contestant, plan, tallies);
  let isInflicted = false;
  const isOver = (): boolean => isInflicted && clientKinds.every((kind) => tallies[kind].answered >= plan.answers);
  const calling = sessions.map((session) => keepCalling(session, new Random(random.between(0, 2 ** 31)), isOver));
  const faults = await inflict(contestant, plan, sessions, random);
  isInflicted = true;
  await Promise.all(calling);
  for (const { client, proxy, tally } of sessions) {
    tally.duplicates += client.duplicates();
    await client.close();
    await proxy.close();
  }
  return { contestant: contestant.name, faults, tallies };
}

async function openSessions(
  contestant: Contestant,
  { sessions: perKind, lostAfterMs }: Plan,
  tallies: Record<ClientKind, Tally>,
): Promise<Tortured[]> {
  const sessions: Tortured[] = [];
  for (const kind of clientKinds) {
    for (let count = 0; count < perKind; count++) {
      const proxy = await new CuttingProxy(contestant.url).listen();
      const client = await connectClient(kind, proxy.url, contestant.headers);
      const sessionId = await client.call("session", {}, 30_000);
      sessions.push({ client, proxy, sessionId, tally: tallies[kind], lostAfterMs, held: undefined, running: 0 });
    }
  }
  return sessions;
}

type Fault = "cut" | "abort" | "eviction";

/** Spreads the faults of the plan over the sessions, in an order that the seed decides, and the kills between them. */
async function inflict(contestant: Contestant, plan: Plan, sessions: Tortured[], random: Random) {
  const faults = { cuts: 0, evictions: 0, aborts: 0, kills: 0 };
  const deck = random.shuffled<Fault>([
    ...Array.from({ length: plan.cuts }, () => "cut" as const),
    ...Array.from({ length: contestant.evict === undefined ? 0 : plan.evictions }, () => "eviction" as const),
    ...Array.from({ length: contestant.abort === undefined ? 0 : plan.aborts }, () => "abort" as const),
  ]);
  const kills = contestant.killAndRestart === undefined ? 0 : plan.kills;
  const evicting: Promise<void>[] = [];
  const perKill = Math.ceil(deck.length / (kills + 1));
  for (const [index, fault] of deck.entries()) {
    if (kills > 0 && index > 0 && index % perKill === 0) {
      // A connection that is dead without anybody knowing, and the death of the process that holds the only copies of what
      // was sent into it, is the one loss that the README names: each of these faults comes by itself.
      for (const { proxy } of sessions) proxy.disarm();
      await pause(betweenKillsMs);
      await Promise.all(sessions.map(untilHeard));
      await contestant.killAndRestart?.();
      faults.kills += 1;
    }
    if (fault === "eviction")
      evicting.push(evict(contestant, random.pick(sessions)).then((done) => void (faults.evictions += done)));
    else if (fault === "abort") await contestant.abort?.(random.pick(sessions).sessionId);
    else await cut(sessions, random);
    await pause(random.between(pauseMs.least, pauseMs.most));
  }
  await Promise.all(evicting);
  // Something may have come in between.
  while (contestant.evict !== undefined && faults.evictions < plan.evictions) {
    faults.evictions += await evict(contestant, random.pick(sessions));
  }
  const cuts = (): number => sessions.reduce((total, { proxy }) => total + proxy.cuts, 0);
  // A cut that was to come in the middle of a message may not have come: the stream had too little to say.
  while (cuts() < plan.cuts) {
    await cut(sessions, random);
    await pause(random.between(pauseMs.least, pauseMs.most));
  }
  faults.cuts = cuts();
  faults.aborts = deck.filter((fault) => fault === "abort").length;
  return faults;
}

/** Until a client has what a black hole has swallowed: on its next stream that comes before any later answer. */
async function untilHeard({ client, lostAfterMs }: Tortured): Promise<void> {
  await client.call("session", {}, lostAfterMs).catch(() => undefined);
}

/** Holds a session's calls until its object has nothing to do and is evicted; cuts go on meanwhile. How many were. */
async function evict(contestant: Contestant, session: Tortured): Promise<number> {
  while (session.held !== undefined) await session.held;
  const eviction = untilIdle(session).then(() => contestant.evict?.(session.sessionId));
  session.held = eviction.catch(() => undefined);
  try {
    await eviction;
    return 1;
  } catch {
    // Something came in between: a cut's reconnect, or the harness's own connection. It does not count.
    return 0;
  } finally {
    session.held = undefined;
  }
}

/** No call begins while the session is held, so those that run come to their end. */
async function untilIdle(session: Tortured): Promise<void> {
  while (session.running > 0) await pause(pauseMs.least);
}

/** Cuts the stream of one of those that have one: half of the times at once, half in the middle of what comes next. */
async function cut(sessions: Tortured[], random: Random): Promise<void> {
  while (!sessions.some(({ proxy }) => proxy.hasStream)) await pause(pauseMs.least);
  const { proxy } = random.pick(sessions.filter((session) => session.proxy.hasStream));
  proxy.cutStreams(random.pick(modes), random.next() < 0.5 ? 0 : random.between(1, 3_000));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
