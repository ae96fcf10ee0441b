import type { RequestId } from "@modelcontextprotocol/server";

/** The JSON-RPC id of a ping by which a reconnecting client names its old session: its stream is held by `freshId`. */
export function claimId(freshId: string, count: number): string {
  return `claim:${freshId}.${count}`;
}

/** The `freshId` of a {@linkcode claimId}; `undefined` for any other id. */
export function readClaimId(id: RequestId): string | undefined {
  // An answer to nothing may have an id of any length, so what reads it does so once.
  return typeof id === "string" ? /^claim:([0-9a-f]{64}(?:[0-9a-f]{32})?)\.[0-9]{1,3}$/.exec(id)?.[1] : undefined;
}

/**
 * How often a client is asked which session it was in, evenly within `claimMs`: the question is easily lost, its answer
 * too, if the object that is to hear it crashes in that moment.
 */
export const claimAsks = 5;
