import { answerFor } from "../../test/fixtures/torture-server.ts";
import type { TortureClient } from "./clients.ts";
import type { CuttingProxy } from "./cutting-proxy.ts";
import type { Random } from "./random.ts";

/** What became of the calls of one kind of client. */
export interface Tally {
  answered: number;
  /** Told that it may or may not have run: an answer, where the tool may not run twice. */
  interrupted: number;
  /** The POST itself failed, and its caller knew at once. */
  refused: number;
  /** No answer before the deadline. */
  lost: number;
  wrong: number;
  duplicates: number;
  /** Sessions whose client found itself in another one. */
  reinitialized: number;
  /** The first few things that went wrong, for whoever has to find out why. */
  notes: string[];
}

export function emptyTally(): Tally {
  return {
    answered: 0,
    interrupted: 0,
    refused: 0,
    lost: 0,
    wrong: 0,
    duplicates: 0,
    reinitialized: 0,
    notes: [],
  };
}

export interface Tortured {
  client: TortureClient;
  proxy: CuttingProxy;
  sessionId: string;
  tally: Tally;
  /** A call that is not answered by then is lost, milliseconds. */
  lostAfterMs: number;
  /** While it is pending no new call begins: only an object without work is evicted. */
  held: Promise<unknown> | undefined;
  /** Calls that are not answered yet. */
  running: number;
}

const tools = ["repeatable", "repeatable", "once", "asking"] as const;

/** Calls tools on one session until `until` says stop: up to three at once, quick and slow, small and large. */
export async function keepCalling(tortured: Tortured, random: Random, isOver: () => boolean): Promise<void> {
  let n = 0;
  const lanes = Array.from({ length: random.between(1, 3) }, async () => {
    while (!isOver()) {
      // Again after each wait, and no wait between this and the call: a call that slips in would hold up an eviction.
      while (tortured.held !== undefined) await tortured.held;
      await callOnce(tortured, random, ++n);
      await new Promise((resolve) => setTimeout(resolve, random.between(0, 60)));
    }
  });
  await Promise.all(lanes);
  await checkSession(tortured);
}

async function callOnce(tortured: Tortured, random: Random, n: number): Promise<void> {
  const { client, tally, lostAfterMs } = tortured;
  const tool = random.pick(tools);
  const ms = random.next() < 0.5 ? 0 : random.between(10, 700);
  const bytes = random.next() < 0.9 ? random.between(0, 200) : random.between(10_000, 60_000);
  tortured.running += 1;
  try {
    const text = await client.call(tool, { n, ms, bytes }, lostAfterMs);
    if (text === answerFor(n, bytes)) tally.answered += 1;
    else note(tally, "wrong", `${client.kind} ${tool} ${n}: ${text.slice(0, 200)}`);
  } catch (error) {
    tallyFailure(tally, `${client.kind} ${tool} ${n} ${ms} ms`, error);
  } finally {
    tortured.running -= 1;
  }
}

/** What became of a call that was not answered. `isKnown`: the client could have asked for it again, so no cut refuses it. */
export function tallyFailure(tally: Tally, what: string, error: unknown, { isKnown = false } = {}): void {
  const message = error instanceof Error ? `${error.message} ${JSON.stringify(error.cause ?? "")}` : String(error);
  if (/may or may not have taken effect/.test(message)) tally.interrupted += 1;
  else if (isTimeout(message)) note(tally, "lost", `${what}: ${message}`);
  else if (/fetch failed|POSTing|POST was answered|ECONN|socket|terminated|other side closed/i.test(message)) {
    if (isKnown) note(tally, "lost", `${what}: ${message}`);
    else tally.refused += 1;
  } else note(tally, "wrong", `${what}: ${message}`);
}

/** How every kind of client says that no answer came. */
function isTimeout(message: string): boolean {
  return /timed out/i.test(message);
}

/** The last call of a session tells whether it still is the one it was. */
async function checkSession(tortured: Tortured): Promise<void> {
  const { client, sessionId, tally, lostAfterMs } = tortured;
  for (let attempt = 0; attempt < 20; attempt++) {
    const now = await client.call("session", {}, lostAfterMs).catch((error: unknown) => error);
    if (typeof now === "string") {
      if (now !== sessionId)
        note(tally, "reinitialized", `${client.kind}: ${sessionId.slice(0, 8)} became ${now.slice(0, 8)}`);
      return;
    }
    // The last fault may have hit this call's own POST, but then the client is told.
    if (isTimeout(String(now))) note(tally, "lost", `${client.kind}: the last call of its session`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  note(tally, "lost", `${client.kind}: its session did not come back`);
}

/** Something that must not be. */
export function note(tally: Tally, kind: "wrong" | "lost" | "reinitialized", text: string): void {
  tally[kind] += 1;
  if (tally.notes.length < 20) tally.notes.push(`${kind}: ${text}`);
}
