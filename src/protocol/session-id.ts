/**
 * The id of a session, as its client has it: 64 hexadecimal digits that are its object's id, then 32 that are a secret. The
 * first half finds the object, and stands in the platform's logs and traces; only both are a key to the session. The release
 * before gave out the first half alone: a session that it opened has no secret.
 */
const objectDigits = 64;
const pattern = /^[0-9a-f]{64}([0-9a-f]{32})?$/;

/** A new one, for the object `objectId`. */
export function newSessionId(objectId: string): string {
  return objectId + crypto.randomUUID().replaceAll("-", "");
}

/** `undefined` for what is no id of a session. */
export function objectIdIn(sessionId: string): string | undefined {
  return pattern.test(sessionId) ? sessionId.slice(0, objectDigits) : undefined;
}

/** Empty if it has none. */
export function secretIn(sessionId: string): string {
  return sessionId.slice(objectDigits);
}
