import type { WorkerEvent } from "./worker-events.ts";

/** How often the server is asked whether it still answers, while something runs in it, milliseconds. */
const askEveryMs = 1_000;

/** How long that may take, milliseconds: many times what a busy machine needs. */
const patienceMs = 3_000;

/**
 * Notices a call that keeps the server from answering anything else, as an endless loop does: the Worker and all objects run
 * on one thread of this machine. What began last and has not ended is what blocks.
 */
export class Blockage {
  readonly #say: (sentence: string) => void;
  #running: { what: string; sinceMs: number }[] = [];
  #url: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;

  constructor(say: (sentence: string) => void) {
    this.#say = say;
  }

  /** A server, new or again, answers at `url`; what ran in an earlier one is gone. */
  reset(url: string | undefined): void {
    this.#url = url;
    this.#running = [];
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  note(event: WorkerEvent): void {
    if (event.event === "started") {
      this.#running.push({ what: event.what, sinceMs: Date.now() });
      this.#timer ??= setInterval(() => void this.#ask(), askEveryMs).unref();
    } else if (event.event === "ended") {
      const index = this.#running.findIndex(({ what }) => what === event.what);
      if (index >= 0) this.#running.splice(index, 1);
      if (this.#running.length > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  async #ask(): Promise<void> {
    const suspect = this.#running.at(-1);
    if (this.#isAsking || this.#url === undefined || suspect === undefined) return;
    this.#isAsking = true;
    const isSilent = await fetch(this.#url, { signal: AbortSignal.timeout(patienceMs) }).then(
      () => false,
      (error: unknown) => error instanceof DOMException && error.name === "TimeoutError",
    );
    this.#isAsking = false;
    if (!isSilent || this.#running.at(-1) !== suspect) return;
    const since = new Date(suspect.sinceMs).toTimeString().slice(0, 8);
    const seconds = Math.round((Date.now() - suspect.sinceMs) / 1_000);
    this.#say(
      `${suspect.what} has blocked this server for ${seconds} s, since ${since}: nothing else is answered. Is it an endless ` +
        "loop? Save a source, and the server starts again.",
    );
    // Said once.
    clearInterval(this.#timer);
  }
}
