import { isObject } from "../../protocol/json-rpc.ts";
import type { Handshake } from "./handshake.ts";

/** A row that this version cannot read: of a newer one, or damaged. Then nothing of the session can be relied on. */
export class UnreadableRow extends Error {}

/** The row `key`, as `read` reads it. @throws {UnreadableRow} for whatever `read` throws. */
export function readRow<Value>(key: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw error instanceof UnreadableRow ? error : new UnreadableRow(`the row ${key} cannot be read: ${String(error)}`);
  }
}

/** No row of ours has a later time, milliseconds since 1970: of later ones the platform sets no alarm. */
const latestMs = 6_000_000_000_000;

/** Whether `ms`, as it is stored, can be a time. */
export function isTime(ms: unknown): ms is number {
  return typeof ms === "number" && ms >= 0 && ms < latestMs;
}

type Row = Record<string, unknown>;

/**
 * From the format of each index to the next one: a row as it was, to the row as it would have been written. Format 0 did not
 * say its number. The length is the format of what is written now.
 */
export type Steps = readonly ((row: Row) => Row)[];

/**
 * The steps of a handshake, whose format is that of all rows of its session: what else changed since is optional members. One
 * more step is a new format, which the release before cannot read: see docs/ARCHITECTURE.md, To change it.
 */
const steps: Steps = [(handshake) => handshake];

export function writeHandshake(handshake: Handshake): string {
  return writeFormatted(handshake, steps);
}

/** @throws {UnreadableRow} for one of a newer format, or that is none. */
export function readHandshake(key: string, json: string): Handshake {
  return readRow(key, () => {
    const handshake = readFormatted(json, steps);
    if (!isHandshake(handshake)) throw new TypeError("it lacks a member");
    return handshake;
  });
}

/** JSON of `row`, which says in which format it is. */
export function writeFormatted(row: object, to: Steps): string {
  return JSON.stringify({ ...row, format: to.length });
}

/** What this version would have written. @throws for what is of a newer format, or no JSON of an object. */
export function readFormatted(json: string, from: Steps): Row {
  const stored: unknown = JSON.parse(json);
  if (!isObject(stored)) throw new TypeError("it is no object");
  const { format = 0, ...row } = stored;
  if (typeof format !== "number" || format > from.length) {
    throw new RangeError(`its format is ${String(format)}, and ${from.length} is the newest known`);
  }
  return from.slice(format).reduce((before, step) => step(before), row);
}

function isHandshake(row: object): row is Handshake {
  const handshake = row as Partial<Record<keyof Handshake, unknown>>;
  const { lane, subscriptions, initialize, lists = [], questions = [], secret = "", owner = "" } = handshake;
  const isLane = lane === "sse" || lane === "mcp";
  const isHeld = typeof secret === "string" && typeof owner === "string";
  const areLists = [subscriptions, lists, questions].every((list) => Array.isArray(list));
  return isLane && isHeld && areLists && (initialize === undefined || isObject(initialize));
}
