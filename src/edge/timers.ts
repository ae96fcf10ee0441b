/** What `promisify` of `node:util` takes instead of a function. */
const promisified = Symbol.for("nodejs.util.promisify.custom");

type Start = (callback: unknown, ...rest: unknown[]) => unknown;

/**
 * Has timers do what tools know of Node's: what one throws becomes a rejection that nobody awaits, which the log has, as of the
 * exception itself the runtime tells no listener; and `promisify(setTimeout)` waits.
 */
export function mendTimers(): void {
  const { setTimeout: wait } = globalThis as unknown as { setTimeout: Start };
  for (const name of ["setTimeout", "setInterval"] as const) {
    const start = globalThis[name] as Start;
    const mended: Start = (callback, ...rest) =>
      // What is no function the runtime refuses at once.
      start(
        typeof callback === "function" ? async (...args: unknown[]): Promise<unknown> => callback(...args) : callback,
        ...rest,
      );
    Object.assign(globalThis, { [name]: mended });
  }
  Object.assign(setTimeout, {
    [promisified]: (ms?: number, value?: unknown) => new Promise((done) => wait(done, ms, value)),
  });
}
