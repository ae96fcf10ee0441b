import { connectClient, type TortureClient } from "../torture/clients.ts";
import { type Ending, endings, type MachineContestant } from "./on-one-machine.ts";

/** What one restart cost the clients that were connected, of so many. */
export interface RestartCosts {
  /** Clients that are in no session of theirs any more: what it remembered is gone, or they are not served. */
  sessionsLost: number;
  /** Calls under way that were not answered. */
  callsLost: number;
  of: number;
}

/** Clients that read every server's stream and come back by themselves. */
const kinds = ["sdk-v1", "sdk-v2"] as const;
const perKind = 15;
/** Under way when the server ends, and for longer than it is given to. */
const callMs = 6_000;
/** Some times what the slowest client that comes back takes. */
const lostAfterMs = 20_000;

/** Sessions of both official SDKs, old and new, each with a call under way. */
export async function measureRestarts(contestant: MachineContestant): Promise<Record<Ending, RestartCosts>> {
  const costs: Partial<Record<Ending, RestartCosts>> = {};
  for (const how of endings) costs[how] = await measureRestart(contestant, how);
  return costs as Record<Ending, RestartCosts>;
}

async function measureRestart(contestant: MachineContestant, how: Ending): Promise<RestartCosts> {
  const clients: TortureClient[] = [];
  for (const kind of kinds) {
    for (let n = 0; n < perKind; n++) clients.push(await connectClient(kind, contestant.url));
  }
  for (const client of clients) await client.call("count", {}, lostAfterMs);
  const calls = clients.map((client) => succeeds(client.call("wait", { ms: callMs }, lostAfterMs), "waited"));
  // Well under way, in whichever server: each has said nothing for longer than it takes to accept a call.
  await new Promise((resolve) => setTimeout(resolve, callMs / 4));
  await contestant.restart(how);
  const answered = await Promise.all(calls);
  const kept = await Promise.all(clients.map((client) => succeeds(client.call("count", {}, lostAfterMs), "2")));
  await Promise.all(clients.map((client) => client.close().catch(() => undefined)));
  const lost = (held: boolean[]): number => held.filter((isHeld) => !isHeld).length;
  return { sessionsLost: lost(kept), callsLost: lost(answered), of: clients.length };
}

async function succeeds(call: Promise<string>, wanted: string): Promise<boolean> {
  return await call.then(
    (text) => text === wanted,
    () => false,
  );
}
