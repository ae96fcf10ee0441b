import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { residentBytes, untilHibernated } from "./idle-sessions.ts";
import {
  endings,
  type MachineContestant,
  type MachineName,
  machineTitles,
  startOnOneMachine,
} from "./on-one-machine.ts";
import { installNodePeers, installPythonPeer } from "./peers.ts";
import { machineSize, markdownTable, versions } from "./report.ts";
import { measureRestarts, type RestartCosts } from "./restarts.ts";
import { median, partShapes } from "./rounds.ts";
import { addends, type BenchSession, openSse } from "./sessions.ts";
import { callsPerSecond } from "./side-by-side.ts";
import { inTurns, medianCall } from "./turns.ts";

/** `npm run bench -- --served [--quick] [--readme]`: what a user of one machine would choose from, without Cloudflare. */
export interface ServedPace {
  rounds: number;
  warmUpCalls: number;
  idleSessions: number;
}

/** Medians over the rounds. */
interface Row {
  /** Milliseconds. */
  call: number;
  callsPerSecond: number;
  partsPerSecond: number;
  /** Bytes of the process for each idle session. */
  sessionBytes: number;
  restarts: Record<(typeof endings)[number], RestartCosts>;
}

interface ServedReport {
  date: string;
  machine: string;
  pace: ServedPace;
  versions: Record<string, string>;
  notRun: Partial<Record<MachineName, string>>;
  rows: Partial<Record<MachineName, Row>>;
}

const names = Object.keys(machineTitles) as MachineName[];
const [shape] = partShapes;
const [callTurns, throughputTurns, partTurns, throughputMs, throughputSessions] = [15, 3, 3, 150, 20];

export async function benchServed(
  pace: ServedPace,
  { say, isWritten }: { say: (text: string) => void; isWritten: boolean },
): Promise<void> {
  const notRun: ServedReport["notRun"] = {};
  const missing = (unavailable: MachineName[]) => (error: unknown) => {
    for (const name of unavailable) notRun[name] = String(error).split("\n", 1)[0] ?? "";
  };
  await installNodePeers().catch(missing(["fastmcp-node", "sdk-express"]));
  await installPythonPeer().catch(missing(["fastmcp-python"]));
  const contestants: MachineContestant[] = [];
  const rows: ServedReport["rows"] = {};
  try {
    for (const name of names) if (notRun[name] === undefined) contestants.push(await startOnOneMachine(name));
    say("side by side");
    const speeds = await measureSpeeds(contestants, pace);
    for (const contestant of contestants) {
      say(`${contestant.name}: ${pace.idleSessions} idle sessions`);
      const sessionBytes = await measureMemory(contestant, pace.idleSessions);
      say(`${contestant.name}: restarts`);
      const restarts = await measureRestarts(contestant);
      rows[contestant.name] = { ...speeds(contestant), sessionBytes, restarts };
    }
  } finally {
    for (const contestant of contestants) await contestant.stop();
  }
  const report: ServedReport = {
    date: new Date().toISOString().slice(0, 10),
    machine: machineSize(),
    pace,
    versions: versions(),
    notRun,
    rows,
  };
  const table = asMarkdown(report);
  console.log(table);
  if (!isWritten) return;
  const folder = join(import.meta.dirname, "results");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "served.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  await writeFile(join(folder, "served.md"), table);
}

interface Callers {
  contestant: MachineContestant;
  session: BenchSession;
  many: BenchSession[];
}

type Speeds = Pick<Row, "call" | "callsPerSecond" | "partsPerSecond">;

/** All of them in turns: what else the machine does burdens them alike. */
async function measureSpeeds(
  contestants: MachineContestant[],
  { rounds, warmUpCalls }: ServedPace,
): Promise<(contestant: MachineContestant) => Speeds> {
  const callers = await Promise.all(contestants.map((contestant) => prepare(contestant, warmUpCalls)));
  const seen = new Map<MachineName, SpeedsSeen>(
    contestants.map(({ name }) => [name, { call: [], callsPerSecond: [], partsPerSecond: [] }]),
  );
  const note = async (metric: keyof Speeds, turns: number, measure: (caller: Callers) => Promise<number>) => {
    for (const [{ contestant }, value] of await inTurns(callers, turns, measure)) {
      seen.get(contestant.name)?.[metric].push(value);
    }
  };
  for (let round = 0; round < rounds; round++) {
    await note("call", callTurns, ({ session }) => medianCall(session));
    await note("callsPerSecond", throughputTurns, ({ many }) => callsPerSecond(many, throughputMs));
    await note("partsPerSecond", partTurns, async ({ session }) => {
      const { ms } = await session.callInParts("tell", { parts: shape.parts, bytes: shape.bytes });
      return (shape.parts * 1_000) / ms;
    });
  }
  for (const { session, many } of callers) for (const open of [session, ...many]) open.close();
  return ({ name }) => {
    const values = seen.get(name);
    return {
      call: median(values?.call ?? []),
      callsPerSecond: median(values?.callsPerSecond ?? []),
      partsPerSecond: median(values?.partsPerSecond ?? []),
    };
  };
}

type SpeedsSeen = Record<keyof Speeds, number[]>;

async function prepare(contestant: MachineContestant, warmUpCalls: number): Promise<Callers> {
  const session = await opened(contestant.port);
  const many = await Promise.all(Array.from({ length: throughputSessions }, () => opened(contestant.port)));
  for (let call = 0; call < warmUpCalls; call++) await session.call("add", addends);
  return { contestant, session, many };
}

async function opened(port: number): Promise<BenchSession> {
  const session = await openSse(port);
  await session.initialize();
  return session;
}

/** After those of the speeds, which have grown its heap. */
async function measureMemory({ port, pid }: MachineContestant, count: number): Promise<number> {
  await untilHibernated();
  const emptyBytes = await residentBytes(await pid());
  const sessions: BenchSession[] = [];
  for (let left = count; left > 0; left -= throughputSessions) {
    const batch = Array.from({ length: Math.min(left, throughputSessions) }, () => opened(port));
    for (const session of await Promise.all(batch)) {
      session.rest();
      sessions.push(session);
    }
  }
  await untilHibernated();
  const bytes = ((await residentBytes(await pid())) - emptyBytes) / count;
  for (const session of sessions) session.close();
  return bytes;
}

function asMarkdown({ rows, notRun, pace, date, machine, versions: used }: ServedReport): string {
  const head = [
    "server",
    "call, p50",
    `calls per second, ${throughputSessions} sessions`,
    `parts of ${shape.bytes} B per second`,
    `memory per idle session, ${pace.idleSessions} open`,
    "stopped and started: sessions lost, calls lost",
    "`kill -9` and started: sessions lost, calls lost",
  ];
  const lost = ({ sessionsLost, callsLost, of }: RestartCosts) => `${sessionsLost}, ${callsLost} of ${of}`;
  const body = names.flatMap((name) => {
    const row = rows[name];
    if (row === undefined) return [];
    const speeds = [`${row.call.toFixed(2)} ms`, Math.round(row.callsPerSecond), Math.round(row.partsPerSecond)];
    const costs = endings.map((how) => lost(row.restarts[how]));
    return [[machineTitles[name], ...speeds.map(String), `${(row.sessionBytes / 1024).toFixed(0)} KiB`, ...costs]];
  });
  const list = Object.entries(used).map(([name, version]) => `${name} ${version}`);
  return [
    ...markdownTable(head, body),
    "",
    ...Object.entries(notRun).map(([name, why]) => `Not run: ${machineTitles[name as MachineName]} (${why}).`),
    `${date}, ${machine}; medians of ${pace.rounds} rounds, in turns. ${list.join(", ")}.`,
    "",
  ].join("\n");
}
