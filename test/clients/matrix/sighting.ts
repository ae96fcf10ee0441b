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
  /** Text of the result of `ask`, whose user says "blue"; absent if the client cannot ask. */
  answer?: string;
  /** Text of the result of `sample`, whose model says "tides"; absent if the client has no model. */
  sampled?: string;
}

/** What a client can do besides listing and calling, by its documentation. */
export interface Abilities {
  progress: boolean;
  elicitation: boolean;
  sampling: boolean;
}

/** What is wrong with what the client saw; empty if nothing is. */
export function judge(sighting: Sighting, can: Abilities): string[] {
  const faults: string[] = [];
  const expected = ["add", "countdown", "remember", "recall", "ask", "sample"];
  const missing = expected.filter((name) => !sighting.tools.includes(name));
  if (missing.length > 0) faults.push(`it does not list ${missing.join(", ")}`);
  if (sighting.sum !== "50") faults.push(`25 and 25 are ${sighting.sum}`);
  if (sighting.countdown !== "Counted down from 3.") faults.push(`countdown gives ${sighting.countdown}`);
  // Of the last part, which may come in one chunk with the result, some clients do not tell their user.
  const progress = (sighting.progress ?? []).slice(0, 2).join();
  if (can.progress && progress !== "1,2") faults.push(`progress is ${JSON.stringify(sighting.progress)}`);
  return faults;
}

/** Whether the user and the model of the client were asked, if it has them. */
export function judgeElicitation({ answer }: Sighting): string[] {
  return answer === "blue" ? [] : [`ask gives ${String(answer)}`];
}

export function judgeSampling({ sampled }: Sighting): string[] {
  return sampled === "tides" ? [] : [`sample gives ${String(sampled)}`];
}
