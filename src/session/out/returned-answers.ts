import { isResponse, parseMessage } from "../../protocol/json-rpc.ts";
import { dataOf } from "../../protocol/sse-frame.ts";
import { unpackFrame } from "../../link/link.ts";

/** An answer that a relay gives back: its JSON, and its frame as it was sent. */
export interface ReturnedAnswer {
  sequence: number;
  json: string;
  plain: Uint8Array<ArrayBuffer>;
}

/** The answers among `frames`, which a relay gives back. Whoever waited for the other messages is gone with the crash. */
export function* answersIn(frames: Uint8Array<ArrayBuffer>[]): Iterable<ReturnedAnswer> {
  for (const plain of frames) {
    const { sequence, frame } = unpackFrame(plain);
    const json = dataOf(new TextDecoder().decode(frame));
    const message = parseMessage(json);
    if (json !== undefined && message !== undefined && isResponse(message)) yield { sequence, json, plain };
  }
}
