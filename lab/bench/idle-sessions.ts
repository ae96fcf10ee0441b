import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Contestant, ContestantName } from "./contestants.ts";
import type { Rounds } from "./rounds.ts";
import { addends, type BenchSession, openSse } from "./sessions.ts";
import { compareCalls, shuffled } from "./turns.ts";

/** An object hibernates after 10 s without work; this leaves it the time to do so. */
const untilHibernatedMs = 13_000;
const openedAtOnce = 20;

const warmUpCalls = 500;

export interface IdleCosts {
  /** Bytes of memory of the process for each open idle session, by how many sessions are open. */
  memoryBytes: Record<number, number>;
  /** Bytes on disk for each open idle session; undefined for a contestant that stores nothing. */
  diskBytes: number | undefined;
}

/** One contestant, filled with sessions step by step. */
export class IdleSessions {
  readonly contestant: Contestant;
  readonly #costs: IdleCosts = { memoryBytes: {}, diskBytes: undefined };
  #sessions: BenchSession[] = [];
  #emptyBytes = 0;
  #diskAtStartBytes = 0;

  constructor(contestant: Contestant) {
    this.contestant = contestant;
  }

  /** Loads its code and grows its heap before the first reading, so that only sessions count. */
  async warmUp(): Promise<void> {
    await this.#open(50);
    for (const session of this.#sessions) await session.call("add", addends);
    for (const session of this.#sessions.splice(0)) session.close();
    await untilHibernated();
    this.#emptyBytes = await residentBytes(this.contestant.pid);
    this.#diskAtStartBytes = await bytesIn(this.contestant.diskFolder);
  }

  async fillTo(count: number): Promise<void> {
    await this.#open(count - this.#sessions.length).catch((error: unknown) => {
      throw new Error(`${this.contestant.name}, session ${this.#sessions.length}`, { cause: error });
    });
  }

  /** What its open sessions cost now. Read it while they hibernate: databases in use are bigger. */
  async readCosts(): Promise<void> {
    const { pid, diskFolder } = this.contestant;
    const count = this.#sessions.length;
    this.#costs.memoryBytes[count] = ((await residentBytes(pid)) - this.#emptyBytes) / count;
    const diskBytes = (await bytesIn(diskFolder)) - this.#diskAtStartBytes;
    if (diskBytes > 0) this.#costs.diskBytes = diskBytes / count;
  }

  /** The first call of a session that hibernates. */
  async wake(index: number): Promise<number> {
    const session = this.#sessions[index];
    if (session === undefined) throw new RangeError(`there is no session ${index}`);
    return await session.call("add", addends);
  }

  async stop(): Promise<IdleCosts> {
    for (const session of this.#sessions) session.close();
    await this.contestant.stop();
    return this.#costs;
  }

  async #open(count: number): Promise<void> {
    for (let left = count; left > 0; left -= openedAtOnce) {
      const batch = Array.from({ length: Math.min(left, openedAtOnce) }, async () => {
        const session = await openSse(this.contestant.port);
        await session.initialize();
        session.rest();
        return session;
      });
      this.#sessions.push(...(await Promise.all(batch)));
    }
  }
}

export function untilHibernated(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, untilHibernatedMs));
}

/** Wakes one session after the other, of each contestant in turn. Needs sessions that were left alone. */
export async function measureWake(all: IdleSessions[], rounds: Rounds, wakes: number): Promise<void> {
  for (let index = 0; index < wakes; index++) {
    for (const idle of shuffled(all)) rounds.add("wake", idle.contestant.name, await idle.wake(index));
  }
}

/** A call in a process that holds many idle sessions, and in one that holds few; `many` and `few` are their ports. */
export async function measureCrowd(
  name: ContestantName,
  { many, few, ...comparison }: { many: number; few: number; times: number; rounds: Rounds; turns: number },
): Promise<void> {
  const crowds = [
    { metric: "call among many", session: await openSse(many) },
    { metric: "call among few", session: await openSse(few) },
  ] as const;
  for (const { session } of crowds) {
    await session.initialize();
    for (let call = 0; call < warmUpCalls; call++) await session.call("add", addends);
  }
  for (let time = 0; time < comparison.times; time++) await compareCalls(crowds, { name, ...comparison });
  for (const { session } of crowds) session.close();
}

/** Resident memory of a process. */
export async function residentBytes(pid: number): Promise<number> {
  const status = `/proc/${pid}/status`;
  if (existsSync(status)) return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(status, "utf8"))?.[1]);
  return 1024 * Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }));
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    // A database that is closed meanwhile takes its side files with it: they are no cost then.
    bytes += await stat(join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return bytes;
}
