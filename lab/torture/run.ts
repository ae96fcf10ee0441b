import { parseArgs } from "node:util";
import { edgeInHarness, edgeInProcess, edgeServed, mcpAgentInProcess, nodeTransport, ours } from "./contestants.ts";
import { report, reportFaults } from "./report.ts";
import { measureSingleCuts } from "./single-cuts.ts";
import { type Outcome, type Plan, torture } from "./torture.ts";

/** `npm run torture -- [--seed N] [--short] [--alone] [--served]`: about three minutes, one table, non-zero if anything was lost. */
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    short: { type: "boolean", default: false },
    alone: { type: "boolean", default: false },
    /** Only `mcp-edge serve` behind nginx, which must be there. */
    served: { type: "boolean", default: false },
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

console.log(`seed ${seed}`);
const notesOf = ({ tallies }: Outcome): string[] => Object.values(tallies).flatMap(({ notes }) => notes);
const outcomes: Outcome[] = [];
const ourPlans = [
  { start: edgeInHarness, plan: objects },
  { start: edgeInProcess, plan: processes },
];
const peerPlans = [
  { start: mcpAgentInProcess, plan: peers },
  { start: nodeTransport, plan: peers },
];
const servedPlans = [{ start: edgeServed, plan: processes }];
const withPeers = values.alone ? ourPlans : [...ourPlans, ...peerPlans];
const plans = values.served ? servedPlans : withPeers;
for (const { start, plan } of plans) {
  const contestant = await start();
  try {
    const outcome = await torture(contestant, plan, seed);
    if (plan === processes) outcome.addedMs = await measureSingleCuts(contestant, lostAfterMs, seed);
    console.log(reportFaults(outcome));
    // What peers lose is in the table. What we lose has to be found.
    if (outcome.contestant.startsWith(ours)) console.log(notesOf(outcome).join("\n"));
    outcomes.push(outcome);
  } finally {
    await contestant.close();
  }
}
console.log(`\n${report(outcomes)}`);

const failed = outcomes
  .filter(({ contestant }) => contestant.startsWith(ours))
  .flatMap(({ tallies }) => Object.entries(tallies))
  .filter(
    ([kind, { lost, wrong, reinitialized, duplicates }]) =>
      lost + wrong + reinitialized > 0 || (kind === "event-source" && duplicates > 0),
  );
process.exitCode = failed.length > 0 ? 1 : 0;
