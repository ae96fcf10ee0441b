import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { root } from "../../test/support/bundle.ts";
import { type ContestantName, titles } from "./contestants.ts";
import type { SessionCounts } from "./counts.ts";
import type { Figure, Measured } from "./figures.ts";
import { peerVersions } from "./peers.ts";

/** What is kept of a run: enough to print its table, draw its chart, and compute costs. */
export interface Report {
  /** ISO 8601, to the day. */
  date: string;
  machine: string;
  rounds: number;
  versions: Record<string, string>;
  /** Contestants that could not be installed or started, and why. */
  notRun: Partial<Record<ContestantName, string>>;
  figures: Figure[];
  /** Medians over the rounds. */
  medians: Record<string, Partial<Record<ContestantName, number>>>;
  idle: Measured["idle"];
  counts: SessionCounts;
}

export function machineSize(): string {
  const [cpu] = cpus();
  const gib = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} cores (${cpu?.model.trim() ?? "unknown"}), ${gib} GiB, ${process.platform}`;
}

export function versions(): Record<string, string> {
  const installed = ["workerd", "agents", "@modelcontextprotocol/server", "@modelcontextprotocol/sdk"].map((name) => {
    const manifest: unknown = JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8"));
    return [name, (manifest as { version: string }).version];
  });
  return { node: process.version, ...Object.fromEntries(installed), ...peerVersions };
}

const columns: { title: string; of: (figure: Figure) => string }[] = [
  { title: "figure", of: ({ figure }) => figure },
  { title: "mcp-edge", of: ({ ours }) => ours },
  { title: "limit", of: ({ limit }) => limit },
  { title: "limit + SDK", of: ({ limitSdk }) => limitSdk },
  { title: "McpAgent", of: ({ mcpAgent }) => mcpAgent },
  { title: "required", of: ({ required }) => required },
  { title: "found", of: ({ found }) => found },
  { title: "holds", of: ({ holds }) => (holds ? "yes" : "no") },
];

/** The table for a terminal. */
export function asText(report: Report): string {
  const rows = [
    columns.map(({ title }) => title),
    ...report.figures.map((figure) => columns.map(({ of }) => of(figure))),
  ];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const peers = report.figures
    .filter(({ others }) => others !== "")
    .map(({ figure, others }) => `${figure}: ${others}`);
  return [...lines, "", ...peers, ...notRunLines(report), "", footer(report)].join("\n");
}

/** The table for a README. */
export function asMarkdown(report: Report): string {
  const head = [...columns, { title: "others", of: ({ others }: Figure) => others }];
  const rows = report.figures.map((figure) => head.map(({ of }) => of(figure)));
  const table = markdownTable(
    head.map(({ title }) => title),
    rows,
  );
  return [...table, "", ...notRunLines(report), footer(report), ""].join("\n");
}

/** Its lines. */
export function markdownTable(head: string[], rows: string[][]): string[] {
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

function notRunLines({ notRun }: Report): string[] {
  return Object.entries(notRun).map(([name, why]) => `Not run: ${titles[name as ContestantName]} (${why}).`);
}

function footer({ date, machine, rounds, versions: used }: Report): string {
  const list = Object.entries(used).map(([name, version]) => `${name} ${version}`);
  return `${date}, ${machine}; medians of ${rounds} rounds, contestants in turns. ${list.join(", ")}.`;
}
