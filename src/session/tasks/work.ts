type State =
  | { is: "idle" }
  /** The call is about to run: it is written down that it does, or asked whether it may do so once more. */
  | { is: "preparing"; done: Promise<void> }
  | { is: "running"; controller: AbortController };

/**
 * What is done for the call of a task at the moment: one thing at most.
 *
 * Storage: none. Lifetime: the object's time in memory; a later one finds the task working, and nothing done for it.
 */
export class Work {
  #state: State = { is: "idle" };

  get isIdle(): boolean {
    return this.#state.is === "idle";
  }

  /** Whether it is the run of `controller` that goes on. */
  isOf(controller: AbortController): boolean {
    return this.#state.is === "running" && this.#state.controller === controller;
  }

  /** Until `beginning` is over, which leads to a run, nothing else is to begin one. */
  prepare(beginning: Promise<void>): Promise<void> {
    const over = beginning.finally(() => {
      if (this.#state.is === "preparing") this.#state = { is: "idle" };
    });
    // Of a failure whoever began hears, not who only waits.
    this.#state = { is: "preparing", done: over.catch(() => undefined) };
    return over;
  }

  /** Resolves once nothing is prepared. */
  async prepared(): Promise<void> {
    if (this.#state.is === "preparing") await this.#state.done;
  }

  begin(controller: AbortController): void {
    this.#state = { is: "running", controller };
  }

  /** The run of `controller` is over; perhaps another one has begun since. */
  end(controller: AbortController): void {
    if (this.isOf(controller)) this.#state = { is: "idle" };
  }

  abort(): void {
    if (this.#state.is === "running") this.#state.controller.abort();
  }
}
