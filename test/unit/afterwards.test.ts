import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Afterwards } from "../../src/session/afterwards.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("one timer is for all who wait, and there is another for those who come after it", () => {
  const afterwards = new Afterwards();
  const done: string[] = [];
  afterwards.run(() => done.push("first"));
  afterwards.run(() => done.push("second"));
  expect(vi.getTimerCount()).toBe(1);
  expect(done).toEqual([]);
  vi.advanceTimersByTime(0);
  expect(done).toEqual(["first", "second"]);
  afterwards.run(() => done.push("third"));
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(0);
  expect(done).toEqual(["first", "second", "third"]);
});

test("a timer that went with its request is made up for by whoever comes next", () => {
  const afterwards = new Afterwards();
  const done: string[] = [];
  afterwards.run(() => done.push("first"));
  vi.clearAllTimers();
  vi.setSystemTime(Date.now() + 11);
  afterwards.run(() => done.push("second"));
  vi.advanceTimersByTime(0);
  expect(done).toEqual(["first", "second"]);
});
