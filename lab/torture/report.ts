import type { ClientKind } from "./clients.ts";
import type { Outcome } from "./torture.ts";

const columns = [
  "server",
  "client",
  "answered",
  "told interrupted",
  "refused at once",
  "LOST",
  "WRONG",
  "twice",
  "NEW SESSION",
  "one cut adds, p95",
] as const;

/** One table of all outcomes, as Markdown. */
export function report(outcomes: Outcome[]): string {
  const rows = outcomes.flatMap(({ contestant, tallies, addedMs }) =>
    Object.entries(tallies).map(([client, tally]) => [
      contestant,
      client,
      tally.answered,
      tally.interrupted,
      tally.refused,
      tally.lost,
      tally.wrong,
      tally.duplicates,
      tally.reinitialized,
      addedByOneCut(addedMs?.[client as ClientKind]),
    ]),
  );
  const line = (cells: readonly unknown[]): string => `| ${cells.join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

export function reportFaults({ contestant, faults }: Outcome): string {
  const counts = Object.entries(faults).map(([kind, count]) => `${count} ${kind}`);
  return `${contestant}: ${counts.join(", ")}`;
}

function addedByOneCut(addedMs: number[] | undefined): string {
  return addedMs === undefined ? "–" : `${Math.round(percentile(addedMs, 0.95))} ms`;
}

function percentile(values: number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
}
