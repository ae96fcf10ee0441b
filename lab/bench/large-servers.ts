import type { Contestant, ContestantName, LargeName } from "./contestants.ts";
import { untilHibernated } from "./idle-sessions.ts";
import type { Rounds } from "./rounds.ts";
import { openSse } from "./sessions.ts";
import type { Pace } from "./side-by-side.ts";
import { inTurns } from "./turns.ts";

const warmUpLists = 40;
const listTurns = 9;

/** A contestant with a server of real size. */
export interface LargeServer {
  name: ContestantName;
  contestant: Contestant<LargeName>;
}

/** `tools/list` of 200 tools, again and again, and as the first thing after hibernation. */
export async function measureLists(servers: readonly LargeServer[], rounds: Rounds, pace: Pace): Promise<void> {
  const listing = await Promise.all(
    servers.map(async ({ name, contestant }) => {
      const session = await openSse(contestant.port);
      await session.initialize();
      for (let list = 0; list < warmUpLists; list++) await session.list();
      const asleep = await Promise.all(Array.from({ length: pace.rounds }, () => openSse(contestant.port)));
      for (const one of asleep) await one.initialize();
      return { name, session, asleep };
    }),
  );
  for (let round = 0; round < pace.rounds; round++) {
    for (const [{ name }, ms] of await inTurns(listing, listTurns, ({ session }) => session.list())) {
      rounds.add("list", name, ms);
    }
  }
  await untilHibernated();
  for (let round = 0; round < pace.rounds; round++) {
    for (const [{ name }, ms] of await inTurns(
      listing,
      1,
      ({ asleep }) => asleep[round]?.list() ?? Promise.resolve(NaN),
    )) {
      rounds.add("wake and list", name, ms);
    }
  }
  for (const { session, asleep } of listing) for (const one of [session, ...asleep]) one.close();
}
