export type LogLine = { event: string } & Record<string, unknown>;

/** The lines of events in what a process wrote; its last one may have come in part only. */
export function logLinesIn(output: string): LogLine[] {
  const lines = output.split("\n").slice(0, -1);
  return lines.filter((line) => line.startsWith('{"event":"')).map((line) => JSON.parse(line) as LogLine);
}
