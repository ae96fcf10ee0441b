import { isObject } from "../protocol/json-rpc.ts";
import { type PackedResponse, parsePackedResponse } from "./packed-response.ts";

/** What an object says over a relay's WebSocket, as text. What it says as bytes is a frame, see `frame.ts`. */
export type FromObject =
  /** The client's stream belongs to this other session: attach there. */
  | { is: "attach"; sessionId: string }
  /** All that is held up to `sequence` is on disk, or forgotten: the relay need not hold them any more. */
  | { is: "kept"; sequence: number }
  | ({ is: "receipt" } & Receipt);

/**
 * What became of the POST that came over this socket with this sequence. Without a refusal it was accepted. The frame of an
 * answer that was ready at once says so itself.
 */
export interface Receipt {
  sequence: number;
  refusal?: PackedResponse | undefined;
  /** An answer to the POST goes out on the stream, and goes first. */
  isAnswered: boolean;
}

export function formatFromObject(said: FromObject): string {
  switch (said.is) {
    case "attach":
      return JSON.stringify({ attach: said.sessionId });
    case "kept":
      return JSON.stringify({ kept: said.sequence });
    case "receipt": {
      const { sequence: receipt, refusal, isAnswered } = said;
      return JSON.stringify({ receipt, refusal, isAnswered });
    }
  }
}

/** `undefined` for what this version does not know. */
export function parseFromObject(text: string): FromObject | undefined {
  const said = parseJson(text);
  if (!isObject(said)) return undefined;
  const { attach, kept, receipt, refusal, isAnswered } = said;
  if (typeof attach === "string") return { is: "attach", sessionId: attach };
  if (typeof kept === "number") return { is: "kept", sequence: kept };
  if (typeof receipt !== "number" || typeof isAnswered !== "boolean") return undefined;
  if (refusal === undefined) return { is: "receipt", sequence: receipt, isAnswered };
  const response = parsePackedResponse(refusal);
  return response && { is: "receipt", sequence: receipt, refusal: response, isAnswered };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // It is none of ours, as any other word that is not known.
    return undefined;
  }
}
