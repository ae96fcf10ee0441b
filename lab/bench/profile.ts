import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundle } from "../../test/support/bundle.ts";
import { freePort } from "../../test/support/free-port.ts";
import { startWorkerd, type WorkerdProcess } from "../../test/support/workerd-process.ts";
import { bundleParts } from "./artifacts.ts";
import { mainOf, titles } from "./contestants.ts";
import { originsIn, type Origin, origins, type Times, timesOf } from "./cpu-profile.ts";
import { kib } from "./figures.ts";
import { residentBytes, untilHibernated } from "./idle-sessions.ts";
import { Inspector } from "./inspector.ts";
import { machineSize, markdownTable } from "./report.ts";
import { median } from "./rounds.ts";
import { addends, type BenchSession, openSse, openStreamable } from "./sessions.ts";
import { shuffled } from "./turns.ts";

/** `npm run profile`: where the time of a call goes, the memory of a session, and the bytes of the bundle. */
const profiled = ["limit", "limit-sdk", "ours"] as const;
type Profiled = (typeof profiled)[number];

const rounds = 15;
const warmUps = 5;
const idleSessions = 300;

/** A contestant whose isolate is looked into. */
interface Subject {
  name: Profiled;
  workerd: WorkerdProcess;
  port: number;
  inspector: Inspector;
}

interface Workload {
  title: string;
  /** Operations in a round. */
  times: number;
  /** Returns what is done again and again. */
  prepare(port: number): Promise<() => Promise<unknown>>;
}

const workloads: Workload[] = [
  {
    title: "A call over HTTP+SSE",
    times: 400,
    prepare: async (port) => callsOf(await openSse(port)),
  },
  {
    title: "A call over Streamable HTTP",
    times: 400,
    prepare: (port) => callsOf(openStreamable(port)),
  },
  {
    title: "A session over HTTP+SSE: open, initialize, close",
    times: 100,
    prepare: (port) =>
      Promise.resolve(async () => {
        const session = await openSse(port);
        await session.initialize();
        session.close();
      }),
  },
];

async function callsOf(session: BenchSession): Promise<() => Promise<unknown>> {
  await session.initialize();
  return () => session.call("add", addends);
}

async function start(name: Profiled): Promise<Subject> {
  const inspectorPort = await freePort();
  const args = [`--inspector-addr=127.0.0.1:${inspectorPort}`];
  const workerd = await startWorkerd({ main: mainOf(name), args });
  return { name, workerd, port: Number(new URL(workerd.url).port), inspector: await Inspector.connect(inspectorPort) };
}

/** With all contestants in turns, as in the benchmark. */
async function withSubjects<Result>(work: (subjects: Subject[]) => Promise<Result>): Promise<Result> {
  const subjects: Subject[] = [];
  try {
    for (const name of profiled) subjects.push(await start(name));
    return await work(subjects);
  } finally {
    for (const { inspector, workerd } of subjects) {
      inspector.close();
      await workerd.close();
    }
  }
}

/** Microseconds of one operation, of each contestant, by round. */
async function profileWorkload({ times, prepare }: Workload): Promise<Record<Profiled, Times[]>> {
  return await withSubjects(async (subjects) => {
    const found: Record<Profiled, Times[]> = { limit: [], "limit-sdk": [], ours: [] };
    const prepared = await Promise.all(
      subjects.map(async (subject) => {
        const { script } = await bundle(mainOf(subject.name));
        return { ...subject, originOf: await originsIn(script), operate: await prepare(subject.port) };
      }),
    );
    const repeat = async (operate: () => Promise<unknown>): Promise<void> => {
      for (let time = 0; time < times; time++) await operate();
    };
    // So often that the compilers are done.
    for (let time = 0; time < warmUps; time++) for (const { operate } of prepared) await repeat(operate);
    for (let round = 0; round < rounds; round++) {
      for (const { name, inspector, originOf, operate } of shuffled(prepared)) {
        const sum = timesOf(await inspector.profile(() => repeat(operate)), originOf);
        const each = Object.entries(sum).map(([origin, us]) => [origin, us / times]);
        found[name].push(Object.fromEntries(each) as Times);
      }
    }
    return found;
  });
}

const total = (times: Times): number => Object.values(times).reduce((sum, us) => sum + us, 0);

function timesTable(found: Record<Profiled, Times[]>): string[] {
  const medianOf = (name: Profiled, of: (times: Times) => number): number => median(found[name].map(of));
  const rowOf = (title: string, of: (times: Times) => number): string[] => [
    title,
    ...profiled.map((name) => String(Math.round(medianOf(name, of)))),
  ];
  const present = (origin: Origin): boolean =>
    profiled.some((name) => medianOf(name, (times) => times[origin] ?? 0) >= 1);
  const rows = origins.filter(present).map((origin) => rowOf(origin, (times) => times[origin] ?? 0));
  const ratio = (name: Profiled): string =>
    `${median(found[name].map((times, round) => total(times) / total(found.limit[round] ?? {}))).toFixed(2)} ×`;
  const ratios = ["of the limit's", ...profiled.map((name) => ratio(name))];
  return markdownTable(["µs", ...profiled.map((name) => titles[name])], [...rows, rowOf("together", total), ratios]);
}

interface Memory {
  /** Bytes for each session: what lives in the isolate's heap, and what the process has. */
  heap: number;
  resident: number;
}

async function measureMemory({ port, inspector, workerd }: Subject): Promise<{ awake: Memory; idle: Memory }> {
  const open = async (count: number): Promise<BenchSession[]> => {
    const sessions: BenchSession[] = [];
    for (let index = 0; index < count; index++) {
      const session = await openSse(port);
      await session.initialize();
      session.rest();
      sessions.push(session);
    }
    return sessions;
  };
  const read = async (): Promise<Memory> => ({
    heap: await inspector.heapBytes(),
    resident: await residentBytes(workerd.pid()),
  });
  for (const session of await open(50)) session.close();
  await untilHibernated();
  const empty = await read();
  const since = async (): Promise<Memory> => {
    const now = await read();
    return { heap: (now.heap - empty.heap) / idleSessions, resident: (now.resident - empty.resident) / idleSessions };
  };
  const sessions = await open(idleSessions);
  const awake = await since();
  await untilHibernated();
  const idle = await since();
  for (const session of sessions) session.close();
  return { awake, idle };
}

async function memoryTable(): Promise<string[]> {
  return await withSubjects(async (subjects) => {
    const found: { awake: Memory; idle: Memory }[] = [];
    for (const subject of subjects) found.push(await measureMemory(subject));
    return markdownTable(
      ["of each session", ...subjects.map(({ name }) => titles[name])],
      [
        ["just opened: the isolate's heap", ...found.map(({ awake }) => kib(awake.heap))],
        ["just opened: the process", ...found.map(({ awake }) => kib(awake.resident))],
        ["hibernating: the isolate's heap", ...found.map(({ idle }) => kib(idle.heap))],
        ["hibernating: the process", ...found.map(({ idle }) => kib(idle.resident))],
      ],
    );
  });
}

async function bundleTable(): Promise<string[]> {
  const parts = await bundleParts(mainOf("ours"));
  const rows = parts.map(({ name, bytes, gzipBytes }) => [name, kib(bytes), kib(gzipBytes)]);
  return markdownTable(["part of the bundle", "minified", "the upload would be smaller by, without it"], rows);
}

const lines = [
  `What a sampling profiler of the isolate's thread sees, and what the heap holds: \`npm run profile\`, ${new Date().toISOString().slice(0, 10)}, ${machineSize()}; medians of ${rounds} rounds, contestants in turns. The profiler itself slows all of them.`,
];
for (const workload of workloads) {
  console.error(workload.title);
  lines.push("", `## ${workload.title}`, "", ...timesTable(await profileWorkload(workload)));
}
console.error("memory");
lines.push("", `## Memory, ${idleSessions} sessions open`, "", ...(await memoryTable()));
lines.push("", "## Bundle", "", ...(await bundleTable()), "");
console.log(lines.join("\n"));
await writeFile(join(import.meta.dirname, "results/profile.md"), lines.join("\n"));
