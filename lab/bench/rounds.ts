import type { ContestantName } from "./contestants.ts";

/** Answers in parts: how many, and how large each of them is, bytes. */
export const partShapes = [
  { title: "1,000 parts of 100 B", parts: 1_000, bytes: 100 },
  { title: "200 parts of 10 KB", parts: 200, bytes: 10_000 },
  { title: "20 parts of 100 KB", parts: 20, bytes: 100_000 },
] as const;

export type PartShape = (typeof partShapes)[number];

/** What is measured of each contestant. Times are milliseconds, sizes bytes. */
export type Metric =
  | "call"
  | "calls per second"
  | "open"
  | "initialize"
  | "sessions per second"
  | "large call"
  | "streamable call"
  | "streamable calls per second"
  | PartShape["title"]
  | `first of ${PartShape["title"]}`
  | "list"
  | "wake and list"
  | "late call"
  | "early call"
  | "call without a login"
  | "call with keys"
  | "call with a token"
  | "call among few"
  | "call among many"
  | "wake";

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/**
 * Values by metric, contestant and round. The machine is never quiet: what is compared was measured in the same round,
 * moments apart, and the ratio is the median over the rounds, not the ratio of two medians.
 */
export class Rounds {
  readonly #values = new Map<Metric, Map<ContestantName, number[]>>();

  add(metric: Metric, name: ContestantName, value: number): void {
    const byName = this.#values.get(metric) ?? new Map<ContestantName, number[]>();
    this.#values.set(metric, byName);
    byName.set(name, [...(byName.get(name) ?? []), value]);
  }

  /** NaN if it was not run. */
  median(metric: Metric, name: ContestantName): number {
    return median(this.#of(metric, name));
  }

  ratio(metric: Metric, name: ContestantName, over: ContestantName): number {
    return ratioOf(this.#of(metric, name), this.#of(metric, over));
  }

  /** How one metric of a contestant compares to another of its own. */
  ratioOfMetrics(metric: Metric, over: Metric, name: ContestantName): number {
    return ratioOf(this.#of(metric, name), this.#of(over, name));
  }

  /** All medians, for the JSON file. */
  medians(): Record<string, Partial<Record<ContestantName, number>>> {
    const entries = Array.from(this.#values, ([metric, byName]) => [
      metric,
      Object.fromEntries(Array.from(byName, ([name, values]) => [name, median(values)])),
    ]);
    return Object.fromEntries(entries);
  }

  #of(metric: Metric, name: ContestantName): number[] {
    return this.#values.get(metric)?.get(name) ?? [];
  }
}

function ratioOf(values: number[], others: number[]): number {
  return median(values.slice(0, others.length).map((value, round) => value / (others[round] ?? Number.NaN)));
}
