/**
 * How long a POST waits for one thing after the other: the rest of its body, then what becomes of it. One timer for all of
 * them: to set one and to clear it takes as long as a small tool.
 *
 * To be made in the POST's request, and to be ended there.
 */
export class Patience {
  readonly #timer: ReturnType<typeof setTimeout>;
  #isOver = false;
  /** Of what it waits for now. */
  #then: (() => void) | undefined;

  /** `ms`: until it is over, milliseconds. */
  constructor(ms: number) {
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#then?.();
    }, ms);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Calls `then` once it is over, in the place of what was added before. Never, if it is ended before. */
  add(then: () => void): void {
    this.#then = then;
  }

  delete(): void {
    this.#then = undefined;
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
