import type { Artifact } from "./artifacts.ts";
import { type ContestantName, titles } from "./contestants.ts";
import type { SessionCounts } from "./counts.ts";
import type { IdleCosts } from "./idle-sessions.ts";
import type { LoginBytes } from "./logins.ts";
import { type Metric, partShapes, type Rounds } from "./rounds.ts";

/** Everything that one run measured. */
export interface Measured {
  rounds: Rounds;
  idle: Partial<Record<ContestantName, IdleCosts>>;
  counts: SessionCounts;
  logins: LoginBytes;
  artifacts: { ours: Artifact; libraries: Artifact; mcpAgent: Artifact };
}

/** One line of the table. */
export interface Figure {
  figure: string;
  ours: string;
  limit: string;
  /** The limit for whoever runs the SDK. */
  limitSdk: string;
  mcpAgent: string;
  others: string;
  required: string;
  /** How ours compares, as the requirement words it. */
  found: string;
  holds: boolean;
}

interface Requirement {
  wording: string;
  found: string;
  holds: boolean;
}

const times = (ratio: number): string => (Number.isNaN(ratio) ? "not run" : `${ratio.toFixed(2)} ×`);
const ms = (value: number): string => (Number.isNaN(value) ? "not run" : `${value.toFixed(2)} ms`);
const perSecond = (value: number): string => (Number.isNaN(value) ? "not run" : `${Math.round(value)}/s`);
export const kib = (bytes: number | undefined): string =>
  bytes === undefined ? "–" : `${(bytes / 1024).toFixed(1)} KiB`;

/** How ours compares to the limit, and beside it how the limit does once it runs the SDK. */
function againstLimit({ rounds }: Measured, metric: Metric, require: (ratio: number) => Requirement): Requirement {
  const { wording, found, holds } = require(rounds.ratio(metric, "ours", "limit"));
  return { wording, found: `${found} (limit + SDK ${times(rounds.ratio(metric, "limit-sdk", "limit"))})`, holds };
}

function atMost(ratio: number, bound: number, of: string): Requirement {
  return { wording: `≤ ${bound} × ${of}`, found: `${times(ratio)} ${of}`, holds: ratio <= bound };
}

function atLeast(ratio: number, bound: number, of: string): Requirement {
  return { wording: `≥ ${bound} × ${of}`, found: `${times(ratio)} ${of}`, holds: ratio >= bound };
}

/** McpAgent's time over ours, and beside it over the limit's: more than that nobody can reach. */
function agentSlower({ rounds }: Pick<Measured, "rounds">, metric: Metric, bound: number): Requirement {
  const ratio = rounds.ratio(metric, "mcp-agent", "ours");
  const found = `McpAgent ${times(ratio)} ours (${times(rounds.ratio(metric, "mcp-agent", "limit"))} limit)`;
  return { wording: `McpAgent ≥ ${bound} × ours`, found, holds: ratio >= bound };
}

/** The table of the performance requirements, in their order. */
export function figuresOf(measured: Measured): Figure[] {
  return [
    ...latencyFigures(measured),
    ...idleFigures(measured),
    ...ownFigures(measured),
    ...streamableFigures(measured),
    ...partFigures(measured),
    ...largeFigures(measured),
    ...loginFigures(measured),
  ];
}

/** Answers in parts: the limit is that of whoever runs the SDK. */
function partFigures({ rounds }: Measured): Figure[] {
  return partShapes.flatMap(({ title }) =>
    ([title, `first of ${title}`] as const).map((metric) =>
      row(metric, { rounds, metric, format: ms }, [
        atMost(rounds.ratio(metric, "ours", "limit-sdk"), 1.3, "limit + SDK"),
        agentSlower({ rounds }, metric, 1),
      ]),
    ),
  );
}

function largeFigures({ rounds }: Measured): Figure[] {
  const cells = (metric: Metric): Cells => ({ rounds, metric, format: ms });
  const ahead = (metric: Metric): Requirement => {
    const ratio = rounds.ratio(metric, "mcp-agent", "ours");
    return { wording: "McpAgent ≥ 1 × ours", found: `McpAgent ${times(ratio)} ours`, holds: ratio >= 1 };
  };
  const list = rounds.median("list", "ours");
  const listed = { wording: "≤ 3 ms", found: ms(list), holds: list <= 3 };
  return [
    row("tools/list of 200 tools, p50", cells("list"), [listed, ahead("list")]),
    row("wake and list 200 tools", cells("wake and list"), [ahead("wake and list")]),
  ];
}

/** What a login costs, beside the same server without one. */
export function loginFigures({ rounds, logins }: Pick<Measured, "rounds" | "logins">): Figure[] {
  const call = (figure: string, metric: Metric, bound: number): Figure => {
    const ratio = rounds.ratioOfMetrics(metric, "call without a login", "ours");
    return ownRow(figure, ms(rounds.median(metric, "ours")), [atMost(ratio, bound, "without a login")]);
  };
  const upload = (figure: string, bytes: number, boundKib: number): Figure =>
    ownRow(figure, `+ ${kib(bytes)}`, [
      { wording: `≤ ${boundKib} KiB`, found: kib(bytes), holds: bytes <= boundKib * 1024 },
    ]);
  return [
    call("call with keys, p50", "call with keys", 1.08),
    call("call with a cached JWT, p50", "call with a token", 1.1),
    upload("bundle, gzip, with keys", logins["login-keys"], 1.5),
    upload("bundle, gzip, with JWT", logins["login-jwt"], 9),
  ];
}

function latencyFigures(measured: Measured): Figure[] {
  const { rounds, idle } = measured;
  const crowd = Math.max(...Object.keys(idle.ours?.memoryBytes ?? {}).map(Number));
  const limitTimes = (metric: Metric, bound: number): Requirement =>
    againstLimit(measured, metric, (found) => atMost(found, bound, "limit"));
  const aged = rounds.ratioOfMetrics("late call", "early call", "ours");
  const crowded = rounds.ratioOfMetrics("call among many", "call among few", "ours");
  return [
    row("call, p50", { rounds, metric: "call", format: ms }, [
      limitTimes("call", 1.15),
      agentSlower(measured, "call", 1.45),
    ]),
    row("calls per second, 20 sessions", { rounds, metric: "calls per second", format: perSecond }, [
      againstLimit(measured, "calls per second", (found) => atLeast(found, 0.9, "limit")),
      atLeast(rounds.ratio("calls per second", "ours", "mcp-agent"), 1.6, "McpAgent"),
    ]),
    row("open to endpoint, p50", { rounds, metric: "open", format: ms }, [
      limitTimes("open", 1.15),
      agentSlower(measured, "open", 3.5),
    ]),
    row("initialize, p50", { rounds, metric: "initialize", format: ms }, [
      limitTimes("initialize", 1.3),
      agentSlower(measured, "initialize", 1),
    ]),
    row("sessions opened per second, one by one", { rounds, metric: "sessions per second", format: perSecond }, [
      atLeast(rounds.ratio("sessions per second", "ours", "mcp-agent"), 1, "McpAgent"),
    ]),
    row("1 MiB argument and result", { rounds, metric: "large call", format: ms }, [limitTimes("large call", 1.2)]),
    row("wake from hibernation to answer, p50", { rounds, metric: "wake", format: ms }, [
      limitTimes("wake", 1.5),
      agentSlower(measured, "wake", 1),
    ]),
    ownRow("call after 10,000 calls of the session", ms(rounds.median("late call", "ours")), [
      atMost(aged, 1.05, "call 100"),
    ]),
    ownRow(`call beside ${crowd.toLocaleString("en")} idle sessions`, ms(rounds.median("call among many", "ours")), [
      atMost(crowded, 1.15, "beside 10"),
    ]),
  ];
}

function streamableFigures(measured: Measured): Figure[] {
  const { rounds } = measured;
  const metric = "streamable calls per second";
  return [
    row("Streamable HTTP call, p50", { rounds, metric: "streamable call", format: ms }, [
      againstLimit(measured, "streamable call", (found) => atMost(found, 1.15, "limit")),
      agentSlower(measured, "streamable call", 1),
    ]),
    row("Streamable HTTP calls per second", { rounds, metric, format: perSecond }, [
      atLeast(rounds.ratio(metric, "ours", "mcp-agent"), 1, "McpAgent"),
    ]),
  ];
}

function idleFigures({ idle }: Measured): Figure[] {
  const counts = Object.keys(idle.ours?.memoryBytes ?? {}).map(Number);
  const memory = counts.map((count): Figure => {
    const of = (name: ContestantName): number => idle[name]?.memoryBytes[count] ?? Number.NaN;
    const againstAgent = atMost(of("ours") / of("mcp-agent"), 0.55, "McpAgent");
    const limitFound = `${againstAgent.found} (limit ${times(of("limit") / of("mcp-agent"))})`;
    const size = (name: ContestantName): string => (Number.isNaN(of(name)) ? "not run" : kib(of(name)));
    return {
      figure: `memory per idle session, ${count.toLocaleString("en")} open`,
      ours: size("ours"),
      limit: size("limit"),
      limitSdk: size("limit-sdk"),
      mcpAgent: size("mcp-agent"),
      others: others(size),
      ...judge([atMost(of("ours") / of("limit"), 1.15, "limit"), { ...againstAgent, found: limitFound }]),
    };
  });
  const disk = idle.ours?.diskBytes;
  const found = kib(disk);
  const bound = { wording: "≤ 16 KiB", found, holds: disk !== undefined && disk <= 16 * 1024 };
  const diskRow: Figure = {
    figure: "disk per idle session",
    ours: found,
    limit: kib(idle.limit?.diskBytes),
    limitSdk: kib(idle["limit-sdk"]?.diskBytes),
    mcpAgent: kib(idle["mcp-agent"]?.diskBytes),
    others: "",
    ...judge([bound]),
  };
  return [...memory, diskRow];
}

function ownFigures({ counts, artifacts: { ours, libraries, mcpAgent } }: Measured): Figure[] {
  const none = (rows: number): Requirement => ({ wording: "0", found: String(rows), holds: rows === 0 });
  const artifact = (figure: string, of: (artifact: Artifact) => number, bound: ArtifactBound): Figure => {
    const found = `${bound.format(of(ours))} (libraries alone ${bound.format(of(libraries))})`;
    const requirement = { wording: `≤ ${bound.wording}`, found, holds: of(ours) <= bound.atMost };
    return { ...ownRow(figure, bound.format(of(ours)), [requirement]), mcpAgent: bound.format(of(mcpAgent)) };
  };
  return [
    ownRow("rows written per quick call", String(counts.call.rowsWritten), [none(counts.call.rowsWritten)]),
    ownRow("rows written while idle", String(counts.idle.rowsWritten), [none(counts.idle.rowsWritten)]),
    artifact("bundle, gzip, all lanes", ({ gzipBytes }) => gzipBytes, {
      wording: "100 KiB",
      atMost: 100 * 1024,
      format: kib,
    }),
    artifact("start-up CPU", ({ startUpMs }) => startUpMs, { wording: "50 ms", atMost: 50, format: ms }),
  ];
}

interface ArtifactBound {
  wording: string;
  atMost: number;
  format: (value: number) => string;
}

/** Where the cells of a row come from. */
interface Cells {
  rounds: Rounds;
  metric: Metric;
  format: (value: number) => string;
}

function row(figure: string, { rounds, metric, format }: Cells, requirements: Requirement[]): Figure {
  const of = (name: ContestantName): string => format(rounds.median(metric, name));
  return {
    figure,
    ours: of("ours"),
    limit: of("limit"),
    limitSdk: of("limit-sdk"),
    mcpAgent: of("mcp-agent"),
    others: others(of),
    ...judge(requirements),
  };
}

function ownRow(figure: string, ours: string, requirements: Requirement[]): Figure {
  return { figure, ours, limit: "", limitSdk: "", mcpAgent: "", others: "", ...judge(requirements) };
}

/** The peers that are not on workerd, in one cell. A metric that none of them has leaves it empty. */
function others(of: (name: ContestantName) => string): string {
  const names = ["sdk-express", "fastmcp-node", "fastmcp-python"] as const;
  if (names.every((name) => of(name) === "not run")) return "";
  return names.map((name) => `${titles[name]} ${of(name)}`).join(", ");
}

function judge(requirements: Requirement[]): Pick<Figure, "required" | "found" | "holds"> {
  return {
    required: requirements.map(({ wording }) => wording).join("; "),
    found: requirements.map(({ found }) => found).join("; "),
    holds: requirements.every(({ holds }) => holds),
  };
}
