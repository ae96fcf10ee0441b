import type { Tally } from "./workload.ts";

/** Of a run, whatever was tortured. */
export interface Reported {
  contestant: string;
  faults: Record<string, number>;
  tallies: Partial<Record<string, Tally>>;
  addedMs?: Partial<Record<string, number[]>>;
}

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
export function report(outcomes: Reported[]): string {
  const rows = outcomes.flatMap(({ contestant, tallies, addedMs }) =>
    talliesOf(tallies).map(([client, tally]) => [
      contestant,
      client,
      tally.answered,
      tally.interrupted,
      tally.refused,
      tally.lost,
      tally.wrong,
      tally.duplicates,
      tally.reinitialized,
      addedByOneCut(addedMs?.[client]),
    ]),
  );
  const line = (cells: readonly unknown[]): string => `| ${cells.join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

export function talliesOf(tallies: Reported["tallies"]): [string, Tally][] {
  return Object.entries(tallies).filter((entry): entry is [string, Tally] => entry[1] !== undefined);
}

export function reportFaults({ contestant, faults }: Reported): string {
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
