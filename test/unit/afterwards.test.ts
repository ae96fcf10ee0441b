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
  vi.runAllTimers();
  expect(done).toEqual(["first", "second", "third"]);
});

test("where several waited the next timer comes a millisecond later, and at once again when only one does", () => {
  const afterwards = new Afterwards();
  const waitedMs = (count: number): number => {
    let isDone = false;
    for (let action = 0; action < count; action++) afterwards.run(() => (isDone = true));
    const startedAtMs = Date.now();
    vi.advanceTimersToNextTimer();
    expect(isDone).toBe(true);
    return Date.now() - startedAtMs;
  };
  expect([waitedMs(1), waitedMs(2), waitedMs(2), waitedMs(1), waitedMs(1)]).toEqual([0, 0, 1, 1, 0]);
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
