import { plainFrame } from "./frame.ts";

/**
 * All that is there only for Workers and objects of version 1, see `version.ts`. To take it out: delete this file, and mend what
 * does not compile then.
 */

/** What such a Worker says instead of `no room`. */
export const noRoomOfVersion1 = "not kept";

/** What a POST from such a Worker begins with. */
export const postMarkOfVersion1 = "post ";

/** The key of such a POST: a number, whose upper half tells the stream. */
export function postKeyOfVersion1(text: string): { epoch: string; sequence: number } {
  return { epoch: `v1 ${Math.floor(Number(text) / 2 ** 32)}`, sequence: text === "" ? Number.NaN : Number(text) };
}

/** A packed frame as a relay of `version` reads it: one of version 1 knows no first byte. */
export function frameFor(version: number, packed: Uint8Array): Uint8Array {
  return version === 1 ? plainFrame(packed) : packed;
}

/** Whether a relay of `version` may be told what is kept: one of version 1 would take that for a claim. */
export function hearsKept(version: number): boolean {
  return version > 1;
}

/** Whether an object of `version` takes POSTs over a WebSocket: one of version 1 knows no epochs. */
export function takesPosts(version: number): boolean {
  return version > 1;
}
