import { parseArgs } from "node:util";
import { type Contestant, startContestant } from "./contestants.ts";
import { median } from "./rounds.ts";
import { addends, type BenchSession, openSse, openStreamable } from "./sessions.ts";
import { inTurns, medianCall } from "./turns.ts";

/**
 * What it costs that calls are seen: this project as it is, with a hook, and without lines, spans and hooks, in turns. A round
 * gives a ratio of medians that are moments apart; what is told is the median of the rounds, and how far they are apart.
 */
const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    turns: { type: "string", default: "40" },
    "warm-up": { type: "string", default: "3000" },
  },
});

const names = ["eyes-off", "ours", "eyes-hooked"] as const;
type Name = (typeof names)[number];
const titles: Record<Name, string> = { "eyes-off": "without", ours: "as it is", "eyes-hooked": "and a hook" };

const lanes = { "/sse": openSse, "/mcp": openStreamable } as const;
type Lane = keyof typeof lanes;

interface Caller {
  name: Name;
  lane: Lane;
  session: BenchSession;
}

async function callersOf({ name, port }: Contestant<Name>): Promise<Caller[]> {
  const callers: Caller[] = [];
  for (const lane of Object.keys(lanes) as Lane[]) {
    const session = await lanes[lane](port);
    await session.initialize();
    for (let call = 0; call < Number(flags["warm-up"]); call++) await session.call("add", addends);
    callers.push({ name, lane, session });
  }
  return callers;
}

const contestants = await Promise.all(names.map((name) => startContestant(name)));
const callers: Caller[] = [];
for (const contestant of contestants) callers.push(...(await callersOf(contestant)));

const measured = new Map<string, number[]>();
const note = (what: string, value: number): void => void measured.set(what, [...(measured.get(what) ?? []), value]);
for (let round = 0; round < Number(flags.rounds); round++) {
  for (const lane of Object.keys(lanes) as Lane[]) {
    const inLane = callers.filter((caller) => caller.lane === lane);
    const medians = await inTurns(inLane, Number(flags.turns), ({ session }) => medianCall(session));
    const bare = Array.from(medians).find(([{ name }]) => name === "eyes-off")?.[1] ?? Number.NaN;
    for (const [{ name }, ms] of medians) {
      note(`${lane} ${name} ms`, ms);
      note(`${lane} ${name} ratio`, ms / bare);
    }
  }
}

console.log("| lane | calls are seen | p50 | of without | a quarter of rounds below | above |");
console.log("| --- | --- | --- | --- | --- | --- |");
for (const lane of Object.keys(lanes)) {
  for (const name of names) {
    const ms = median(measured.get(`${lane} ${name} ms`) ?? []);
    const ratios = (measured.get(`${lane} ${name} ratio`) ?? []).toSorted((a, b) => a - b);
    const quarter = (share: number): string =>
      (ratios[Math.floor(share * (ratios.length - 1))] ?? Number.NaN).toFixed(3);
    const cells = [lane, titles[name], `${ms.toFixed(3)} ms`, median(ratios).toFixed(3), quarter(0.25), quarter(0.75)];
    console.log(`| ${cells.join(" | ")} |`);
  }
}
for (const { session } of callers) session.close();
for (const contestant of contestants) await contestant.stop();
