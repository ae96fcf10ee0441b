import { isResponse, parseMessage } from "../../protocol/json-rpc.ts";
import { dataOf } from "../../protocol/sse-frame.ts";
import { unpackFrame } from "../../link/link.ts";
import { isHeld, kindOf, type MessageKind } from "./sent-message.ts";

/** A message that a relay gives back: its JSON, and its frame as it was sent. */
export interface ReturnedMessage {
  sequence: number;
  kind: MessageKind;
  json: string;
  plain: Uint8Array<ArrayBuffer>;
}

/** Those among `frames`, which a relay gives back, that it is to hold: one of the release before may hold more. */
export function* messagesIn(frames: Uint8Array<ArrayBuffer>[]): Iterable<ReturnedMessage> {
  for (const plain of frames) {
    const { sequence, frame } = unpackFrame(plain);
    const json = dataOf(new TextDecoder().decode(frame));
    const message = parseMessage(json);
    if (json === undefined || message === undefined) continue;
    const kind = isResponse(message) ? "response" : kindOf(message);
    if (isHeld({ kind })) yield { sequence, kind, json, plain };
  }
}
