const begunAtMs = new Map<string, number>();
const counts = new Map<string, number>();

/**
 * Has the log take what `console` writes by all of its methods. The runtime's logs know five of them, and what is written by
 * another, `console.table` for one, only a debugger ever sees.
 */
export function fillConsole(): void {
  const log = (...said: unknown[]): void => console.log(...said);
  const timeLog = (label = "default", ...said: unknown[]): void =>
    log(`${label}: ${Date.now() - (begunAtMs.get(label) ?? Date.now())} ms`, ...said);
  const count = (label = "default"): void => {
    counts.set(label, (counts.get(label) ?? 0) + 1);
    log(`${label}: ${counts.get(label)}`);
  };
  Object.assign(console, {
    assert: (isTrue?: unknown, ...said: unknown[]) => isTrue || console.error("Assertion failed:", ...said),
    count,
    dir: log,
    dirxml: log,
    group: log,
    groupCollapsed: log,
    table: log,
    time: (label = "default") => begunAtMs.set(label, Date.now()),
    timeEnd: timeLog,
    timeLog,
    trace: (...said: unknown[]) => log(...said, new Error("Trace").stack),
  });
}
