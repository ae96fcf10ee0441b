/** Text that comes in pieces, line by line. Of one that is long, as what a tool prints may be, only what is new is looked at. */
export class Lines {
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(text: string): void {
    const [first = "", ...others] = text.split("\n");
    this.#rest += first;
    for (const next of others) {
      this.#onLine(this.#rest);
      this.#rest = next;
    }
  }

  /** What comes next is of another text; the last line of this one may have no end of its own. */
  end(): void {
    if (this.#rest !== "") this.#onLine(this.#rest);
    this.#rest = "";
  }
}
