import { holdMessage, noRoomTaken } from "../../stream/held-messages.ts";
import type { Call } from "../calls/calls.ts";

/** To be told which calls a POST has begun; returns them. */
export type Begun = (calls: Call[]) => Call[];

/** Has `take` take the POST of `text`, which has its room here until all calls have ended that it began. `undefined`: there is none. */
export async function holdUntilEnded<Taken>(
  text: string,
  take: (begun: Begun) => Promise<Taken>,
): Promise<Taken | undefined> {
  const release = holdMessage(text);
  if (release === undefined) return undefined;
  if (release === noRoomTaken) return await take((calls) => calls);
  let running: Call[] = [];
  try {
    return await take((calls) => (running = calls));
  } finally {
    void Promise.all(running.map(({ ended }) => ended)).then(release);
  }
}
