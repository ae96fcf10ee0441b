import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "../../test/support/bundle.ts";
import { measureArtifacts } from "./artifacts.ts";
import { asSvg } from "./chart.ts";
import { type Contestant, type ContestantName, mainOf, onWorkerd, startContestant, titles } from "./contestants.ts";
import { countSession } from "./counts.ts";
import { figuresOf, loginFigures, type Measured } from "./figures.ts";
import { IdleSessions, measureCrowd, measureWake, untilHibernated } from "./idle-sessions.ts";
import { machineTitles } from "./on-one-machine.ts";
import { installNodePeers, installPythonPeer } from "./peers.ts";
import { asMarkdown, asText, machineSize, type Report, versions } from "./report.ts";
import { Rounds } from "./rounds.ts";
import { measureLogins } from "./logins.ts";
import { benchServed } from "./served.ts";
import { measureLists } from "./large-servers.ts";
import { measureOldSession, measureSideBySide, type Pace } from "./side-by-side.ts";

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    /** Only what a login costs. */
    logins: { type: "boolean", default: false },
    json: { type: "string" },
    readme: { type: "boolean", default: false },
    /** Only `mcp-edge serve` beside what else serves on one machine. */
    served: { type: "boolean", default: false },
  },
});

const fullPace: Pace = {
  rounds: 7,
  warmUpCalls: 3_000,
  callTurns: 15,
  opensPerRound: 30,
  throughputTurns: 3,
  partTurns: 3,
  throughputMs: 150,
  throughputSessions: 20,
  oldSessionCalls: 10_000,
};
const pace: Pace = flags.quick ? { ...fullPace, rounds: 5, warmUpCalls: 1_000 } : fullPace;
/** What 5,000 sessions need: a stream for each, and some more while its object is awake. */
const neededOpenFiles = 20_000;
/** Without that many the crowds are smaller; the table names their size. */
const isSmall = flags.quick || openFilesLimit() < neededOpenFiles;
/** How many idle sessions are measured; peers in other runtimes hold the first of these only. */
const [firstCrowd, secondCrowd] = isSmall ? ([200, 500] as const) : ([1_000, 5_000] as const);
const wakes = flags.quick ? 20 : 60;

const notRun: Partial<Record<ContestantName, string>> = {};
const rounds = new Rounds();

/** A bound on hanging, some times what a run takes on a slow machine. */
const longestRunMs = 15 * 60_000;
let phase = "";

function say(text: string): void {
  phase = text;
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
}

async function startAll(names: readonly ContestantName[]): Promise<Contestant[]> {
  const started: Contestant[] = [];
  for (const name of names) {
    if (notRun[name] !== undefined) continue;
    try {
      started.push(await startContestant(name));
    } catch (error) {
      // A peer that does not start is a row that says so; without the limit or ourselves there is no table.
      if (name === "limit" || name === "ours") throw error;
      notRun[name] = reasonOf(error);
    }
  }
  return started;
}

function openFilesLimit(): number {
  // A report has no type; on systems without such limits the field is missing.
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft: number | "unlimited" } } };
  const soft = report.userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : Number.POSITIVE_INFINITY;
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "unknown";
}

async function installPeers(): Promise<void> {
  const missing = (names: ContestantName[]) => (error: unknown) => {
    for (const name of names) notRun[name] = reasonOf(error);
  };
  await installNodePeers().catch(missing(["sdk-express", "fastmcp-node"]));
  await installPythonPeer().catch(missing(["fastmcp-python"]));
}

async function measureSpeed(): Promise<void> {
  const contestants = await startAll([...onWorkerd, "sdk-express", "fastmcp-node", "fastmcp-python"]);
  try {
    await measureSideBySide(contestants, rounds, pace);
    const ours = contestants.find(({ name }) => name === "ours");
    say("a session of 10,000 calls");
    if (ours !== undefined) await measureOldSession(ours, rounds, pace);
  } finally {
    for (const contestant of contestants) await contestant.stop();
  }
}

async function measureLargeServers(): Promise<void> {
  const large = await Promise.all(
    (
      [
        ["large-ours", "ours"],
        ["large-mcp-agent", "mcp-agent"],
      ] as const
    ).map(async ([server, name]) => ({
      name,
      contestant: await startContestant(server),
    })),
  );
  try {
    await measureLists(large, rounds, pace);
  } finally {
    for (const { contestant } of large) await contestant.stop();
  }
}

async function measureIdle(): Promise<Measured["idle"]> {
  const contestants = await startAll([...onWorkerd, "sdk-express", "fastmcp-node", "fastmcp-python"]);
  const few = await startContestant("ours");
  const all = contestants.map((contestant) => new IdleSessions(contestant));
  const hibernating = all.filter(({ contestant }) => onWorkerd.includes(contestant.name));
  const idle: Measured["idle"] = {};
  try {
    await Promise.all(all.map((one) => one.warmUp()));
    await Promise.all(all.map((one) => one.fillTo(firstCrowd)));
    await untilHibernated();
    for (const one of all) await one.readCosts();
    say("waking");
    await measureWake(hibernating, rounds, wakes);
    // In two steps: while its object is awake each session takes five files, and there are not that many.
    const large = hibernating.filter(({ contestant }) => contestant.name !== "limit-sdk");
    for (const count of [(firstCrowd + secondCrowd) / 2, secondCrowd]) {
      await Promise.all(large.map((one) => one.fillTo(count)));
      await untilHibernated();
    }
    for (const one of large) await one.readCosts();
    const ours = hibernating.find(({ contestant }) => contestant.name === "ours");
    const few10 = new IdleSessions(few);
    await few10.fillTo(10);
    if (ours !== undefined) {
      const ports = { many: ours.contestant.port, few: few.port };
      await measureCrowd("ours", { ...ports, times: pace.rounds, rounds, turns: pace.callTurns });
    }
    await few10.stop();
  } finally {
    for (const one of all) idle[one.contestant.name] = await one.stop();
    await few.stop();
  }
  return idle;
}

async function main(): Promise<void> {
  if (flags.logins) {
    say("logins");
    const figures = loginFigures({ rounds, logins: await measureLogins(rounds, pace) });
    for (const { figure, ours, required, found, holds } of figures) {
      console.log(`${figure}: ${ours}, required ${required}, found ${found}: ${holds ? "holds" : "does not hold"}`);
    }
    return;
  }
  await installPeers();
  say("bundles and start-up");
  // All of them now: somebody may be editing the sources while this runs.
  for (const name of [...onWorkerd, "counted"] as const) await bundle(mainOf(name));
  const artifacts = await measureArtifacts({
    ours: { main: mainOf("ours") },
    libraries: { main: "lab/bench/contestants/libraries.ts" },
    mcpAgent: { main: mainOf("mcp-agent"), changes: { alias: {} } },
  });
  say("counting rows and durations");
  const counts = await countSession();
  say("side by side");
  await measureSpeed();
  say("servers of 200 tools");
  await measureLargeServers();
  say("logins");
  const logins = await measureLogins(rounds, pace);
  say(`idle sessions, ${firstCrowd} and ${secondCrowd}`);
  const idle = await measureIdle();
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    machine: machineSize(),
    rounds: pace.rounds,
    versions: versions(),
    notRun,
    figures: figuresOf({ rounds, idle, counts, logins, artifacts }),
    medians: rounds.medians(),
    idle,
    counts,
  };
  console.log(asText(report));
  if (flags.json !== undefined) await writeFile(flags.json, JSON.stringify(report, undefined, 2));
  if (flags.readme) await writeResults(report);
}

async function writeResults(report: Report): Promise<void> {
  const folder = join(import.meta.dirname, "results");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "latest.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  await writeFile(join(folder, "latest.md"), asMarkdown(report));
  await writeFile(join(folder, "chart.svg"), asSvg(report));
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
const watchdog = setTimeout(() => {
  console.error(`still at "${phase}" after ${longestRunMs / 60_000} minutes`);
  process.exit(1);
}, longestRunMs);
say(`contestants: ${Object.values(flags.served ? machineTitles : titles).join(", ")}`);
if (flags.served) {
  const servedPace = flags.quick
    ? { rounds: 3, warmUpCalls: 500, idleSessions: 200 }
    : { rounds: 7, warmUpCalls: 3_000, idleSessions: 1_000 };
  await benchServed(servedPace, { say, isWritten: flags.readme });
} else {
  await main();
}
clearTimeout(watchdog);
