import { answerFor } from "../../test/fixtures/torture-server.ts";
import type { Contestant } from "./contestants.ts";
import type { CutMode } from "./cut.ts";
import { Random } from "./random.ts";
import { type RequestCut, RequestProxy } from "./request-proxy.ts";
import { type BegunTask, connectTaskClient, type TaskClientKind, type TaskTortureClient } from "./task-clients.ts";
import { emptyTally, note, type Tally, tallyFailure } from "./workload.ts";

/** Where in the life of a task its client is cut. */
export const stages = ["creating", "created", "polling", "told", "fetching", "answering"] as const;
export type Stage = (typeof stages)[number];

/** How many faults of each kind a run has at least. */
export interface TaskPlan {
  kinds: TaskClientKind[];
  /** Cuts at each stage. */
  cuts: number;
  evictions: number;
  aborts: number;
  kills: number;
  /** Clients of each kind. */
  clients: number;
  /** So many calls of each kind of client are answered before it ends, however slow the machine is. */
  answers: number;
  /** A call that is not answered by then is lost, milliseconds. */
  lostAfterMs: number;
}

export interface TaskOutcome {
  contestant: string;
  faults: Record<Stage, number> & { evictions: number; aborts: number; kills: number };
  tallies: Partial<Record<TaskClientKind, Tally>>;
}

interface Tortured {
  client: TaskTortureClient;
  proxy: RequestProxy;
  tally: Tally;
  /** Those that may be running. */
  tasks: Set<string>;
}

interface Run {
  contestant: Contestant;
  plan: TaskPlan;
  faults: TaskOutcome["faults"];
}

const modes: readonly CutMode[] = ["rst", "rst", "fin", "fin", "black-hole"];
const tools = ["repeatable", "repeatable", "once", "asking-late", "cancelled"] as const;
/** Between two faults, milliseconds: all clients together suffer one this often. */
const pauseMs = { least: 10, most: 55 };
/** How often it is looked whether a task has ended, milliseconds: all who look share one server with those who call. */
const lookMs = 300;
/** Between two kills, milliseconds: the clients come back and calls are in flight again. */
const betweenKillsMs = 1_500;
/** As far as an answer is cut, bytes: in its head, or in its body. */
const mostAnswerBytes = 700;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Calls that become tasks, of every kind of client, cut at every stage while objects and processes die. */
export async function tortureTasks(contestant: Contestant, plan: TaskPlan, seed: number): Promise<TaskOutcome> {
  const random = new Random(seed);
  const none = Object.fromEntries(stages.map((stage) => [stage, 0])) as Record<Stage, number>;
  const run: Run = { contestant, plan, faults: { ...none, evictions: 0, aborts: 0, kills: 0 } };
  const tallies: TaskOutcome["tallies"] = {};
  const opening = plan.kinds.flatMap((kind) => {
    const tally = (tallies[kind] = emptyTally());
    return Array.from({ length: plan.clients }, () => open(contestant, { kind, tally }));
  });
  const clients = await Promise.all(opening);
  let isInflicted = false;
  const isOver = (): boolean => isInflicted && Object.values(tallies).every(({ answered }) => answered >= plan.answers);
  const calling = clients.map((one) => keepCalling(one, new Random(random.between(0, 2 ** 31)), { run, isOver }));
  await inflict(run, clients, random);
  isInflicted = true;
  await Promise.all(calling);
  for (const { client, proxy } of clients) {
    await client.close();
    await proxy.close();
  }
  return { contestant: contestant.name, faults: run.faults, tallies };
}

async function open(
  contestant: Contestant,
  { kind, tally }: { kind: TaskClientKind; tally: Tally },
): Promise<Tortured> {
  const proxy = await new RequestProxy(contestant.url).listen();
  return { client: await connectTaskClient(kind, proxy.url), proxy, tally, tasks: new Set() };
}

/** Up to three calls at once. */
async function keepCalling(
  tortured: Tortured,
  random: Random,
  { run, isOver }: { run: Run; isOver: () => boolean },
): Promise<void> {
  let n = 0;
  const lanes = Array.from({ length: random.between(1, 3) }, async () => {
    while (!isOver()) {
      await callOnce(tortured, { random, n: ++n, run });
      await pause(random.between(0, 60));
    }
  });
  await Promise.all(lanes);
}

async function callOnce(
  tortured: Tortured,
  { random, n, run }: { random: Random; n: number; run: Run },
): Promise<void> {
  const { client, tally } = tortured;
  const tool = random.pick(tools);
  const ms = random.next() < 0.2 && tool !== "cancelled" ? 0 : random.between(400, 2_000);
  const bytes = random.next() < 0.9 ? random.between(0, 200) : random.between(10_000, 60_000);
  const mayEvict = random.next() < 0.5;
  const what = `${client.kind} ${tool} ${n} ${ms} ms`;
  let begun: string | BegunTask = "";
  try {
    const args = { n, ms, bytes };
    begun = await client.begin(tool === "cancelled" ? "repeatable" : tool, args);
    const text = typeof begun === "string" ? begun : await settle(begun, { tortured, tool, mayEvict, run });
    const isRight = text === answerFor(n, bytes) || (tool === "cancelled" && text === "cancelled");
    if (isRight) tally.answered += 1;
    else note(tally, "wrong", `${what}: ${text.slice(0, 200)}`);
  } catch (error) {
    tallyFailure(tally, what, error, { isKnown: typeof begun !== "string" });
  }
}

async function settle(
  begun: BegunTask,
  { tortured, tool, mayEvict, run }: { tortured: Tortured; tool: string; mayEvict: boolean; run: Run },
): Promise<string> {
  const { taskId } = begun;
  const { tasks } = tortured;
  const { evictions, lostAfterMs } = run.plan;
  tasks.add(taskId);
  try {
    if (tool === "cancelled") await begun.cancel();
    // Only an object that has nothing to do is evicted: its result lies there, and nobody has asked.
    else if (mayEvict && tool !== "asking-late" && run.faults.evictions < evictions) await evict(taskId, run);
    return await begun.settle(lostAfterMs);
  } finally {
    tasks.delete(taskId);
  }
}

async function evict(taskId: string, { contestant, plan, faults }: Run): Promise<void> {
  if (contestant.evict === undefined || contestant.rowsOf === undefined) return;
  const endsAtMs = Date.now() + plan.lostAfterMs;
  while (!(await contestant.rowsOf(taskId)).includes("task-outcome") && Date.now() < endsAtMs) await pause(lookMs);
  try {
    await contestant.evict(taskId);
    faults.evictions += 1;
  } catch {
    // Its alarm came in between. It does not count.
  }
}

/** Spreads the faults of the plan over the clients, in an order that the seed decides, and the kills between them. */
async function inflict({ contestant, plan, faults }: Run, clients: Tortured[], random: Random): Promise<void> {
  const ofStages = stages.flatMap((stage) => Array.from({ length: plan.cuts }, () => stage));
  const aborts = contestant.abort === undefined ? 0 : plan.aborts;
  const deck = random.shuffled<Stage | "abort">([
    ...ofStages,
    ...Array.from({ length: aborts }, () => "abort" as const),
  ]);
  const kills = contestant.killAndRestart === undefined ? 0 : plan.kills;
  const perKill = Math.ceil(deck.length / (kills + 1));
  const cutting: Promise<void>[] = [];
  for (const [index, fault] of deck.entries()) {
    if (kills > 0 && index > 0 && index % perKill === 0) {
      await pause(betweenKillsMs);
      await contestant.killAndRestart?.();
      faults.kills += 1;
    }
    if (fault === "abort") {
      while (!clients.some(({ tasks }) => tasks.size > 0)) await pause(pauseMs.least);
      await contestant.abort?.(random.pick(clients.flatMap(({ tasks }) => [...tasks])));
      faults.aborts += 1;
    } else {
      const { proxy } = random.pick(clients);
      cutting.push(proxy.cutNext(cutAt(fault, random)).then(() => void (faults[fault] += 1)));
    }
    await pause(random.between(pauseMs.least, pauseMs.most));
  }
  // A cut waits for a request that is as it must be, which a client that is slow may never make.
  const tooLong = new Promise((resolve) => setTimeout(resolve, 3 * plan.lostAfterMs).unref());
  await Promise.race([Promise.all(cutting), tooLong]);
}

function cutAt(stage: Stage, random: Random): RequestCut {
  const mode = random.pick(modes);
  const answer = random.between(0, mostAnswerBytes);
  switch (stage) {
    case "creating":
      // Before the server has it, or before the call is a task, or at that moment.
      return {
        method: "tools/call",
        mode,
        at: random.next() < 0.2 ? { unsent: true } : { sent: random.between(0, 150) },
      };
    case "created":
      return { method: "tools/call", mode, at: { answer } };
    case "polling":
      return { method: "tasks/get", mode, at: random.next() < 0.5 ? { unsent: true } : { sent: 0 } };
    case "told":
      return { method: "tasks/get", mode, at: { answer } };
    case "fetching":
      return { method: "tasks/get", mode, at: { answer }, has: /"status":"(completed|failed)"/ };
    case "answering":
      return { method: "tasks/update", mode, at: random.next() < 0.5 ? { unsent: true } : { answer } };
  }
}
