export type LogLine = { event: string } & Record<string, unknown>;

/** The lines of events in what a process wrote. */
export function logLinesIn(output: string): LogLine[] {
  const lines = output.split("\n").filter((line) => line.startsWith('{"event":"'));
  return lines.map((line) => JSON.parse(line) as LogLine);
}
