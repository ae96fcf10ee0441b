/**
 * How long a POST waits for one thing after the other: the rest of its body, then what becomes of it. One timer for all of
 * them: to set one and to clear it takes as long as a small tool.
 *
 * To be made in the POST's request, and to be ended there.
 */
export class Patience {
  readonly #over = Promise.withResolvers<void>();
  readonly #timer: ReturnType<typeof setTimeout>;
  #isOver = false;

  /** `ms`: until it is over, milliseconds. */
  constructor(ms: number) {
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#over.resolve();
    }, ms);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Resolves once it is over. Never, if it is ended before. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
