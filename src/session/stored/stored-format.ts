import { isObject } from "../../protocol/json-rpc.ts";
import type { Handshake } from "./handshake.ts";

/** A row that this version cannot read: of a newer one, or damaged. Then nothing of the session can be relied on. */
export class UnreadableRow extends Error {
  readonly key: string;

  constructor(key: string, why: string) {
    super(`the row ${key} ${why}`);
    this.key = key;
  }
}

/** What {@linkcode UnreadableRow} is about, read by `read`, which throws what it likes. */
export function readRow<Value>(key: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw error instanceof UnreadableRow ? error : new UnreadableRow(key, `cannot be read: ${String(error)}`);
  }
}

/**
 * From the format of each index to the next one: the row of a handshake as it was, to the row as it would have been
 * written. Format 0 did not say its number. Rows of other kinds have not changed since.
 */
const steps: ((handshake: Record<string, unknown>) => Record<string, unknown>)[] = [(handshake) => handshake];

/** The format of what is stored, which stands in the handshake's row: all rows of a session are of one. */
const format = steps.length;

export function writeHandshake(handshake: Handshake): string {
  return JSON.stringify({ ...handshake, format });
}

/** @throws {UnreadableRow} for one of a newer format, or that is none. */
export function readHandshake(key: string, json: string): Handshake {
  return readRow(key, () => {
    const stored: unknown = JSON.parse(json);
    if (!isObject(stored)) throw new TypeError("it is no object");
    const { format: storedFormat = 0, ...oldest } = stored;
    if (typeof storedFormat !== "number" || storedFormat > format) {
      throw new RangeError(`its format is ${String(storedFormat)}, and ${format} is the newest known`);
    }
    const handshake = steps.slice(storedFormat).reduce((row, step) => step(row), oldest);
    if (!isHandshake(handshake)) throw new TypeError("it lacks a member");
    return handshake;
  });
}

function isHandshake(row: object): row is Handshake {
  const { lane, subscriptions, initialize, secret = "", owner = "" } = row as Partial<Record<keyof Handshake, unknown>>;
  const isLane = lane === "sse" || lane === "mcp";
  const isHeld = typeof secret === "string" && typeof owner === "string";
  return isLane && isHeld && Array.isArray(subscriptions) && (initialize === undefined || isObject(initialize));
}
