import type { LaneName } from "./sighting.ts";

/** "–" is what the client cannot do; "not run" is what this machine cannot run. */
export type Cell = "passed" | "failed" | "–" | "not run";

export interface TableRow {
  client: string;
  version: string;
  sse: Cell;
  mcp: Cell;
  elicitation: Cell;
  sampling: Cell;
  /** A log message that comes after a call. */
  log: Cell;
  /** What was negotiated, and what the server remembers between two calls; see {@linkcode perLane}. */
  revision: string;
  memory: string;
  /** Why it was not run. */
  why?: string;
  faults: string[];
}

const columns = ["client", "version", "sse", "mcp", "elicitation", "sampling", "log", "revision", "memory"] as const;
const heads = ["client", "version", "/sse", "/mcp", "elicitation", "sampling", "log", "revision", "memory"];

/** The cells of a row, as they are written. */
export const cellsOf = (row: TableRow): string[] => columns.map((column) => row[column]);

/** What was seen in each lane as one cell: once if it is the same, else what differs on `/mcp` behind it. */
export function perLane(seen: Partial<Record<LaneName, string>>): string {
  const { sse, mcp } = seen;
  if (sse === undefined || mcp === undefined || sse === mcp) return sse ?? mcp ?? "–";
  return `${sse}; /mcp: ${mcp}`;
}

/** The table in Markdown, its sums, and what went wrong. */
export function formatTable(rows: TableRow[]): string {
  const lines = [heads, ...rows.map(cellsOf)];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const format = (line: readonly string[]) => `| ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  const [head = "", ...body] = lines.map(format);
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [head, rule, ...body, "", summary(rows), ...rows.flatMap(details)].join("\n");
}

function summary(rows: TableRow[]): string {
  const failed = rows.filter(({ faults }) => faults.length > 0).length;
  const notRun = rows.filter(({ why }) => why !== undefined).length;
  return `${rows.length - failed - notRun} passed, ${failed} failed, ${notRun} not run.`;
}

function details({ client, why, faults }: TableRow): string[] {
  return [
    ...(why === undefined ? [] : [`${client} was not run: it ${why}.`]),
    ...faults.map((fault) => `${client} ${fault}`),
  ];
}
