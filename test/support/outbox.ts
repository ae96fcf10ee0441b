import { type Clients, Outbox, type OutboxBounds } from "../../src/session/out/outbox.ts";
import type { SentMessage } from "../../src/session/out/sent-message.ts";
import type { RowStore } from "../../src/session/stored/rows.ts";

export const bounds = { maxOutboxBytes: 10_000, maxOutboxMessages: 50, retainMs: 1_000 };

/** Unless they are said to be others, its clients are there and have read what was handed over. */
export function openOutbox(store: RowStore, settings: OutboxBounds, clients: Partial<Clients> = {}): Outbox {
  return new Outbox(store, settings, { audienceOf: () => "there", hasRead: () => true, ...clients });
}

/** A message as it is before it is written down. */
export type NewMessage = SentMessage & { packed: Uint8Array };

export function message(outbox: Outbox, nowMs: number, more: Partial<NewMessage> = {}): NewMessage {
  const sequence = outbox.nextSequence(nowMs);
  const { packed = new TextEncoder().encode(`message ${sequence}`) } = more;
  // As frames do, see `packFrame`.
  packed.fill(0x80, 0, 1);
  const bytes = packed.byteLength;
  return { sequence, stream: "sse", kind: "response", handedOverAtMs: nowMs, ...more, packed, bytes };
}

/** All of a stream, with their bytes, from wherever these lie. */
export const whole = (outbox: Outbox): SentMessage[] =>
  outbox.after("sse", 0).map((one) => ({ ...one, packed: outbox.packedOf(one) }));

export const sequences = (messages: SentMessage[]): number[] => messages.map(({ sequence }) => sequence);
