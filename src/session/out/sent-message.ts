import type { JSONRPCNotification, JSONRPCRequest } from "@modelcontextprotocol/server";
import { isRequest } from "../../protocol/json-rpc.ts";

/** `passing`: a notification that says what happens at the moment, progress or a log message. */
export type MessageKind = "response" | "request" | "notification" | "passing";

/** A message of a session to its client, while it may not have arrived. */
export interface SentMessage {
  /** Place in the session's order. Grows for ever, also across restarts; never reused. */
  sequence: number;
  /** The stream of the session it belongs to. */
  stream: string;
  kind: MessageKind;
  /** How long its frame is. */
  bytes: number;
  /** The frame, see `packFrame`; `undefined` while it lies in a row only. */
  packed: Uint8Array | undefined;
  /** When it was last handed to a client's stream, milliseconds since 1970; `undefined` while none was there. */
  handedOverAtMs: number | undefined;
}

/** What became of a message: on its way, waiting for the client to read, or without anybody to take it. */
export type SendOutcome = "sent" | "waiting" | "gone";

export function isNotification({ kind }: SentMessage): boolean {
  return kind === "notification" || kind === "passing";
}

/**
 * Whether its relay holds it as long as only the object's memory has it. Whoever waits for the answer to a request is gone with
 * the object, and what passes has been said.
 */
export function isHeld({ kind }: { kind: MessageKind }): boolean {
  return kind === "response" || kind === "notification";
}

/** Of what a server says by itself. */
export function kindOf(message: JSONRPCRequest | JSONRPCNotification): MessageKind {
  if (isRequest(message)) return "request";
  const { method } = message;
  return method === "notifications/progress" || method === "notifications/message" ? "passing" : "notification";
}
