/** Why the object closed a relay's WebSocket. Any other close means that the object went away: attach again. */
export const closeCode = {
  /** The session is over, or this stream has nothing more to carry. */
  ended: 4000,
  /** A newer stream of the same session took its place. */
  superseded: 4001,
} as const;

/** Why an object whose session is over leaves: a request that comes in this moment fails with it. */
export const overReason = "the session of this object is over";
