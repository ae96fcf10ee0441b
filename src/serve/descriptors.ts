import { readFileSync } from "node:fs";

/**
 * File descriptors that workerd takes for a session at the worst, which is when all come back at once after a restart: three
 * for its database, three for that of the object where its client is asked which session it was in, two for each connection,
 * which are its stream and up to four POSTs. In quiet it is two, for the stream. Too many rather than too few: workerd ends
 * when it is to take a connection and has none left, and then all come back at once.
 */
const perSession = 3 + 3 + 2 * (1 + 4);

/** What workerd takes without a session. */
const own = 30;

/** As many as so many sessions need that all call at once. */
export function descriptorsFor(sessions: number): number {
  return own + sessions * perSession;
}

/** The other way round. */
export function sessionsFor(descriptors: number): number {
  return Math.max(0, Math.floor((descriptors - own) / perSession));
}

/** That of this process's hard limit, which workerd gets as its soft one; `undefined` where the system does not say. */
export function descriptorLimit(): number | undefined {
  try {
    const line = /^Max open files\s+\S+\s+(?<hard>\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return line?.groups === undefined ? undefined : Number(line.groups["hard"]);
  } catch {
    return undefined;
  }
}
