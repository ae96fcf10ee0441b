/**
 * `<session>/<stream>/<sequence>`: the id of one SSE event.
 *
 * The id alone finds the session, the stream of that session and the place to go on from, because a reconnecting
 * EventSource brings nothing else (HTML Standard, Server-sent events, `Last-Event-ID`).
 */
export interface EventId {
  sessionId: string;
  stream: string;
  sequence: number;
}

export function formatEventId({ sessionId, stream, sequence }: EventId): string {
  return `${sessionId}/${stream}/${sequence}`;
}

/** `undefined` for anything this project did not send. */
export function parseEventId(text: string): EventId | undefined {
  const match = /^([0-9a-f]{64}(?:[0-9a-f]{32})?)\/([a-z0-9]{1,32})\/([0-9]{1,16})$/.exec(text);
  if (match === null) return undefined;
  const [, sessionId = "", stream = "", digits = ""] = match;
  const sequence = Number(digits);
  return Number.isSafeInteger(sequence) ? { sessionId, stream, sequence } : undefined;
}
