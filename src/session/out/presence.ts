/** Whether the client of a stream is there, as far as this object knows. */
export type Presence =
  | { is: "here" }
  /**
   * Since its connection was lost, or ended by us: milliseconds since 1970. `openedAtMs`: when it opened the one that a relay
   * carried, likewise.
   */
  | { is: "away"; sinceMs: number; openedAtMs?: number }
  /** It was never there while this object was in memory: it may have been away for much longer than that. */
  | { is: "unknown" };
