import { holdMessage, noRoomTaken } from "../../stream/held-messages.ts";
import type { Call } from "../calls/calls.ts";

/** To be told which calls a POST has begun; returns them. */
export type Begun = (calls: Call[]) => Call[];

/** Has `take` take the POST of `text`, which has its room here until all calls have ended that it began. `undefined`: there is none. */
export function holdUntilEnded<Taken>(
  text: string,
  take: (begun: Begun) => Promise<Taken>,
): Promise<Taken> | undefined {
  const release = holdMessage(text);
  if (release === undefined) return undefined;
  return release === noRoomTaken ? take((calls) => calls) : takeHeld(take, release);
}

async function takeHeld<Taken>(take: (begun: Begun) => Promise<Taken>, release: () => void): Promise<Taken> {
  let running: Call[] = [];
  try {
    return await take((calls) => (running = calls));
  } finally {
    void Promise.all(running.map(({ ended }) => ended)).then(release);
  }
}
