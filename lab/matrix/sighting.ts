import type { Opening } from "../../test/fixtures/matrix.ts";

/** The two lanes that have clients of their own; both are paths of one server. */
export type LaneName = "sse" | "mcp";

/** What a client saw of the server, printed by its program as one line of JSON. It reports; `judge` says what is right. */
export interface Sighting {
  /** The client's own version, as its package says. */
  version: string;
  /** Names of the tools. */
  tools: string[];
  /** Text of the result of `add` 25 25. */
  sum: string;
  /** Text of the result of `countdown` from 3. */
  countdown: string;
  /** Progress of the countdown, in order of arrival; absent if the client cannot show it. */
  progress?: number[];
  /** Text of the result of `later`, which takes 1.5 s and says nothing meanwhile. */
  later: string;
  /** Log messages that the client has heard; absent if it cannot show them. The last one comes after the answer of `later`. */
  heard?: string[];
  /** Text of the result of `revision`: what was negotiated. */
  revision: string;
  /** Text of the result, or of the error, of `recall` after `remember` of "green". */
  recalled: string;
  /** Text of the result of `ask`, whose user says "blue"; absent if the client cannot ask. */
  answer?: string;
  /** Text of the result of `sample`, whose model says "tides"; absent if the client has no model. */
  sampled?: string;
}

/** What a client can do besides listing and calling, by its documentation. */
export interface Abilities {
  /** `unordered`: it hands notifications to several threads, and whoever watches may see a later one first. */
  progress: boolean | "unordered";
  elicitation: boolean;
  sampling: boolean;
  /** Shows log messages that belong to no call. */
  log: boolean;
}

/** What the server remembers of a client between two calls. */
export type Memory = "kept" | "one call" | "none";

/** The revision that has no sessions: nothing is remembered in it, and nothing said after an answer. */
export const stateless = "2026-07-28";

/** What is wrong with what the client saw; empty if nothing is. */
export function judge(sighting: Sighting, can: Abilities): string[] {
  const faults: string[] = [];
  const expected = ["add", "countdown", "remember", "recall", "ask", "sample"];
  const missing = expected.filter((name) => !sighting.tools.includes(name));
  if (missing.length > 0) faults.push(`it does not list ${missing.join(", ")}`);
  if (sighting.sum !== "50") faults.push(`25 and 25 are ${sighting.sum}`);
  if (sighting.countdown !== "Counted down from 3.") faults.push(`countdown gives ${sighting.countdown}`);
  // Of the last part, which may come in one chunk with the result, some clients do not tell their user.
  const seen = sighting.progress ?? [];
  const progress = (can.progress === "unordered" ? seen.toSorted((one, other) => one - other) : seen).slice(0, 2);
  if (can.progress !== false && progress.join() !== "1,2")
    faults.push(`progress is ${JSON.stringify(sighting.progress)}`);
  if (sighting.later !== "It is later.") faults.push(`later gives ${sighting.later}`);
  return faults;
}

/** Whether the user and the model of the client were asked, if it has them. */
export function judgeElicitation({ answer }: Sighting): string[] {
  return answer === "blue" ? [] : [`ask gives ${String(answer)}`];
}

export function judgeSampling({ sampled }: Sighting): string[] {
  return sampled === "tides" ? [] : [`sample gives ${String(sampled)}`];
}

/** Whether a client that has a session heard what was said in it after a call. */
export function judgeLog({ heard, revision }: Sighting): string[] {
  if (revision === stateless || heard?.includes("one more thing") === true) return [];
  return [`after later it heard ${JSON.stringify(heard)}`];
}

/** What was remembered, and whether it is what the client's sessions and revision promise. */
export function judgeMemory(
  { recalled, revision }: Sighting,
  { sessionPerCall = false }: { sessionPerCall?: boolean },
): { memory: Memory | "lost"; faults: string[] } {
  const promised: Memory = sessionPerCall ? "one call" : "kept";
  const expected = revision === stateless ? "none" : promised;
  const memory = memoryIn(recalled);
  return {
    memory,
    faults: memory === expected ? [] : [`memory is ${memory}, not ${expected}: recall gives ${recalled}`],
  };
}

function memoryIn(recalled: string): Memory | "lost" {
  if (recalled === "green") return "kept";
  if (recalled.includes("There is no session")) return "none";
  return recalled.includes("Nothing is remembered") ? "one call" : "lost";
}

/** Some clients hang or wait if a stream of HTTP+SSE begins otherwise, or if one comes where they asked for something else. */
export function judgeOpenings(openings: Opening[]): string[] {
  const unasked = openings.filter(({ accept }) => accept !== "" && !/text\/event-stream|\*\/\*|text\/\*/i.test(accept));
  return [
    ...openings
      .filter(({ event }) => event !== "endpoint")
      .map(({ event }) => `a stream began with ${event}, not endpoint`),
    ...unasked.map(({ accept }) => `it asked for ${accept} and was given a stream`),
  ];
}
