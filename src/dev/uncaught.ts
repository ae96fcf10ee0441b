/** wrangler's words for what nobody caught: at first with its name at the end. */
const uncaught = /^Uncaught (?<said>.*?)(?<first> \w*Error)?$/;

/** What nobody caught, of which wrangler tells twice what the Worker may have told already. */
export class Uncaught {
  #last: string | undefined;

  /** `error` was shown. */
  note(error: string): void {
    this.#last = error.split("\n", 1)[0];
  }

  /** Whether `text`, a header of wrangler's, says once more what was shown last. */
  isAgain(text: string): boolean {
    const { said, first } = uncaught.exec(text)?.groups ?? {};
    if (said === undefined) return false;
    const isAgain = said === this.#last;
    this.#last = first === undefined ? undefined : said;
    return isAgain;
  }
}
