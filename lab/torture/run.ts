import { parseArgs } from "node:util";
import {
  edgeInHarness,
  edgeInProcess,
  edgeServed,
  mcpAgentInProcess,
  nodeTransport,
  ours,
  tasksInHarness,
  tasksInProcess,
} from "./contestants.ts";
import { prepareFastMcp } from "./fastmcp-client.ts";
import { report, type Reported, reportFaults, talliesOf } from "./report.ts";
import { measureSingleCuts } from "./single-cuts.ts";
import type { TaskClientKind } from "./task-clients.ts";
import { type TaskPlan, tortureTasks } from "./task-torture.ts";
import { type Plan, torture } from "./torture.ts";

/** `npm run torture -- [--seed N] [--short] [--alone] [--served] [--tasks] [--fastmcp]`: some minutes, one table, non-zero if anything was lost. */
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    short: { type: "boolean", default: false },
    alone: { type: "boolean", default: false },
    /** Only `mcp-edge serve` behind nginx, which must be there. */
    served: { type: "boolean", default: false },
    /** Only the tasks of the stateless revision. */
    tasks: { type: "boolean", default: false },
    /** Their clients are FastMCP too, which takes a while to install and to start. */
    fastmcp: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const scale = values.short ? 0.1 : 1;
const times = (count: number): number => Math.ceil(count * scale);

/** Far longer than any fault lasts. */
const lostAfterMs = 40_000;
/** The objects' own faults, in the harness. */
const objects: Plan = {
  cuts: times(750),
  evictions: times(210),
  aborts: times(110),
  kills: 0,
  sessions: 4,
  answers: 0,
  lostAfterMs,
};
/** The process's, in a plain workerd with many sessions. */
const processes: Plan = {
  cuts: times(420),
  evictions: 0,
  aborts: 0,
  kills: times(10),
  sessions: 8,
  answers: 0,
  lostAfterMs,
};
/** The same faults for the peers, fewer of them: they lose enough to see, and each loss takes its time. */
const peers: Plan = {
  cuts: times(60),
  evictions: 0,
  aborts: 0,
  kills: times(2),
  sessions: 3,
  answers: 0,
  lostAfterMs: 4_000,
};

/** Of the tasks: the objects' own faults, and the process's. */
const kinds: TaskClientKind[] = ["raw", "ext-tasks"];
const taskObjects: TaskPlan = {
  kinds,
  cuts: times(60),
  evictions: times(60),
  aborts: times(60),
  kills: 0,
  clients: 4,
  answers: 0,
  lostAfterMs,
};
const taskProcesses: TaskPlan = { ...taskObjects, evictions: 0, aborts: 0, kills: times(10) };

console.log(`seed ${seed}`);
const sessionRuns = [
  { start: edgeInHarness, plan: objects },
  { start: edgeInProcess, plan: processes },
];
const taskRuns = [
  { start: tasksInHarness, plan: taskObjects },
  { start: tasksInProcess, plan: taskProcesses },
];
const peerRuns = [
  { start: mcpAgentInProcess, plan: peers },
  { start: nodeTransport, plan: peers },
];
const servedRuns = [{ start: edgeServed, plan: processes }];

function chosenRuns() {
  if (values.served) return servedRuns;
  if (values.tasks) return taskRuns;
  return [...sessionRuns, ...taskRuns, ...(values.alone ? [] : peerRuns)];
}

const runs = chosenRuns();
if (values.fastmcp) {
  const kit = await prepareFastMcp();
  if (kit.state === "ready") kinds.push("fastmcp");
  else console.log(`Without FastMCP, which is not installed: ${JSON.stringify(kit)}`);
}

const outcomes: Reported[] = [];
for (const { start, plan } of runs) {
  const contestant = await start();
  try {
    const outcome: Reported =
      "kinds" in plan ? await tortureTasks(contestant, plan, seed) : await torture(contestant, plan, seed);
    if (plan === processes) outcome.addedMs = await measureSingleCuts(contestant, lostAfterMs, seed);
    console.log(reportFaults(outcome));
    // What peers lose is in the table. What we lose has to be found.
    const notes = talliesOf(outcome.tallies).flatMap(([, tally]) => tally.notes);
    if (outcome.contestant.startsWith(ours)) console.log(notes.join("\n"));
    outcomes.push(outcome);
  } finally {
    await contestant.close();
  }
}
console.log(`\n${report(outcomes)}`);

const failed = outcomes
  .filter(({ contestant }) => contestant.startsWith(ours))
  .flatMap(({ tallies }) => talliesOf(tallies))
  .filter(
    ([kind, { lost, wrong, reinitialized, duplicates }]) =>
      lost + wrong + reinitialized > 0 || (kind === "event-source" && duplicates > 0),
  );
process.exitCode = failed.length > 0 ? 1 : 0;
