import { sealed } from "../protocol/sealed-request.ts";
import { asItCame, callerHeader, callerOf, packCaller } from "./caller.ts";
import { postKeyOfVersion1 } from "./version-1.ts";

/** Tells a POST apart from all others that ever go to its session over a WebSocket. */
export interface PostKey {
  /** That of the client's stream which carries the POST: random, so that no two streams have the same. */
  epoch: string;
  /** Counts up from 1 in each stream, without a gap. 0: none yet. */
  sequence: number;
}

export function formatPostKey({ epoch, sequence }: PostKey): string {
  return `${epoch}.${sequence}`;
}

/** `undefined` if `text` is no key. */
export function parsePostKey(text: string): PostKey | undefined {
  const dot = text.indexOf(".");
  const key = dot < 0 ? postKeyOfVersion1(text) : { epoch: text.slice(0, dot), sequence: Number(text.slice(dot + 1)) };
  return Number.isSafeInteger(key.sequence) ? key : undefined;
}

/** A client's POST that goes to its session over the WebSocket which the relay of its stream has open. */
export interface CarriedPost {
  key: PostKey;
  /** The URL that the POST came to, and the headers it came with, a line each. */
  head: string;
  /** Its body. */
  text: string;
}

/** How a POST came, of which its answer's frame can say on that socket that it was accepted. */
export interface CarriedBy {
  socket: WebSocket;
  /** That of the POST's {@linkcode PostKey}. */
  sequence: number;
}

/** The head of `request`, see {@linkcode CarriedPost}, and who sent it. */
export function headOf(request: Request): string {
  const { url: from, headers } = request;
  const caller = callerOf(request);
  let head = caller === undefined ? from : `${from}\n${callerHeader}:${packCaller(caller)}`;
  // eslint-disable-next-line unicorn/no-array-for-each -- it is no array, and its iterator costs three times as much
  headers.forEach((value, name) => {
    // The one header that differs from message to message, and says nothing that its reader cannot see.
    if (name !== "content-length") head += `\n${name}:${value}`;
  });
  return head;
}

/** The request that `head` is of, without its body. */
export function requestWith(head: string): Request {
  const [from = "", ...lines] = head.split("\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1)];
  });
  return sealed(asItCame(new Request(from, { method: "POST", headers })));
}
