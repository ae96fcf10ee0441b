import { startContestant } from "./contestants.ts";
import { untilHibernated } from "./idle-sessions.ts";
import { addends, openSse } from "./sessions.ts";

/** What Cloudflare bills of a session. */
export interface Counts {
  /** Requests of the client. */
  workerRequests: number;
  /** Requests to the object: fetches, WebSocket upgrades among them, alarms, and a twentieth for each WebSocket message. */
  objectRequests: number;
  /** Rows written and rows deleted; an alarm that is set is one too. */
  rowsWritten: number;
  /** How long it could not hibernate, milliseconds. */
  pinnedMs: number;
}

/** What the parts of a session cost, each counted from the object's own calls of the platform. */
export interface SessionCounts {
  /** From the first GET until `notifications/initialized` has been taken and all is quiet. */
  open: Counts;
  /** One quick call with quiet before and after it. */
  call: Counts;
  /** One of many quick calls in a row. */
  callInBurst: Counts;
  /** While the stream is open and nothing happens, until well after the object hibernated. */
  idle: Counts;
  /** The stream is closed and the session left for good, up to the alarm that deletes it. */
  close: Counts;
}

const calls = 10;
const burst = 200;
/** What a call leaves to be done is done by then. */
const quietMs = 1_500;

export async function countSession(): Promise<SessionCounts> {
  const contestant = await startContestant("counted");
  try {
    const { port } = contestant;
    let last: Counts = { workerRequests: 0, objectRequests: 0, rowsWritten: 0, pinnedMs: 0 };
    const since = async (parts = 1): Promise<Counts> => {
      const now = (await (await fetch(`http://127.0.0.1:${port}/bench/counts`)).json()) as Counts;
      const from = last;
      last = now;
      return {
        workerRequests: (now.workerRequests - from.workerRequests) / parts,
        objectRequests: (now.objectRequests - from.objectRequests) / parts,
        rowsWritten: (now.rowsWritten - from.rowsWritten) / parts,
        pinnedMs: (now.pinnedMs - from.pinnedMs) / parts,
      };
    };
    const session = await openSse(port);
    await session.initialize();
    await quiet();
    const open = await since();
    for (let call = 0; call < calls; call++) {
      await session.call("add", addends);
      await quiet();
    }
    const call = await since(calls);
    for (let index = 0; index < burst; index++) await session.call("add", addends);
    await quiet();
    const callInBurst = await since(burst);
    await untilHibernated();
    const idle = await since();
    session.close();
    for (let wait = 0; wait < 5; wait++) await quiet();
    return { open, call, callInBurst, idle, close: await since() };
  } finally {
    await contestant.stop();
  }
}

function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, quietMs));
}
