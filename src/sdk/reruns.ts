import { AsyncLocalStorage } from "node:async_hooks";

/** Of an isolate: what runs inside a rerun is part of it. */
const reruns = new AsyncLocalStorage<true>();

/** Runs a call that its client did not send just now, and returns what `run` does: hooks are told so. */
export function asRerun<Result>(run: () => Result): Result {
  return reruns.run(true, run);
}

export function isRerun(): boolean {
  return reruns.getStore() === true;
}
