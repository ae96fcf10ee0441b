import { type CarriedPost, formatPostKey, parsePostKey } from "./post.ts";
import { noRoomOfVersion1, postMarkOfVersion1 } from "./version-1.ts";

/** What a relay says over its WebSocket, as text. */
export type FromRelay =
  /** A client's POST. */
  | { is: "post"; post: CarriedPost }
  /**
   * The client has read all up to `sequence`. Said once in half of `maxStreamBacklogBytes`, so for small talk never, and the
   * object sends no more than all of them ahead of it.
   */
  | { is: "confirmation"; sequence: number }
  /** The relay has no room to hold what it wrote: the object must write it down at once. */
  | { is: "no-room" };

const postMark = "carried ";
const noRoomWord = "no room";

export function formatFromRelay(said: FromRelay): string {
  switch (said.is) {
    case "post": {
      const { key, head, text } = said.post;
      return `${postMark}${formatPostKey(key)}\n${head}\n\n${text}`;
    }
    case "confirmation":
      return String(said.sequence);
    case "no-room":
      return noRoomWord;
  }
}

/** `undefined` for what this version does not know. */
export function parseFromRelay(message: string | ArrayBuffer): FromRelay | undefined {
  if (typeof message !== "string") return undefined;
  for (const mark of [postMark, postMarkOfVersion1]) {
    if (message.startsWith(mark)) return parsePost(message, mark.length);
  }
  if (message === noRoomWord || message === noRoomOfVersion1) return { is: "no-room" };
  return /^[0-9]{1,16}$/.test(message) ? { is: "confirmation", sequence: Number(message) } : undefined;
}

function parsePost(message: string, keyAt: number): FromRelay | undefined {
  const keyEnd = message.indexOf("\n");
  const headEnd = message.indexOf("\n\n", keyEnd + 1);
  const key = parsePostKey(message.slice(keyAt, keyEnd));
  if (keyEnd < 0 || headEnd < 0 || key === undefined) return undefined;
  return { is: "post", post: { key, head: message.slice(keyEnd + 1, headEnd), text: message.slice(headEnd + 2) } };
}
