import { expect, test } from "vitest";
import { readHandshake, UnreadableRow, writeHandshake } from "../../src/session/stored/stored-format.ts";

/**
 * That of every 1.x: of a newer one a release deletes the session, so that a deploy which brought it could not be rolled back.
 * New members of a row are optional. Of a task's row see `test/upgrade/tasks.test.ts`.
 */
const format = 1;

const handshake = { lane: "sse" as const, subscriptions: [] };

test("a handshake is written in a format that every release of this major version reads", () => {
  expect(JSON.parse(writeHandshake(handshake))).toEqual({ ...handshake, format });
});

test("what a later release added to a row is no reason not to read it, but a format of its own is", () => {
  const later = { ...handshake, format, addedLater: true };
  expect(readHandshake("handshake", JSON.stringify(later))).toMatchObject(handshake);
  const newer = JSON.stringify({ ...handshake, format: format + 1 });
  expect(() => readHandshake("handshake", newer)).toThrow(UnreadableRow);
});
