import { createHash } from "node:crypto";

/** What the log calls a session: the first 8 hexadecimal digits of the hash of its object's id. */
export function logName(sessionId: string): string {
  return createHash("sha256").update(sessionId.slice(0, 64)).digest("hex").slice(0, 8);
}
