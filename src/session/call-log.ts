import type { Call } from "./calls.ts";

/** How a call ended, as the log says it. */
export type CallOutcome = "ok" | "error" | "cancelled" | "abandoned" | "interrupted";

/** How long a line may wait, milliseconds: no longer than the object stays awake after a call anyway. */
const logAfterMs = 50;

/** What a client calls something is as long as the client likes: no more of it is logged, UTF-16 units. */
const maxNameLength = 200;

/**
 * One line in the log for each call, whatever became of it. The lines of a moment are written together: the answer is on
 * its way through this process meanwhile, and should not wait for them.
 *
 * Storage: none. Loses: the lines of the last moment, if the object crashes.
 */
export class CallLog {
  readonly #sessionId: string;
  readonly #waitUntil: (written: Promise<void>) => void;
  #lines: string[] = [];

  /** `waitUntil` keeps the request open in which a line is due: the platform drops what is logged after its end. */
  constructor(sessionId: string, waitUntil: (written: Promise<void>) => void) {
    this.#sessionId = sessionId;
    this.#waitUntil = waitUntil;
  }

  add({ request: { method, params }, startedAtMs, stream }: Call, outcome: CallOutcome): void {
    const name = shortened(params?.["name"] ?? params?.["uri"]);
    // Enough of the id to tell sessions apart, too little to enter one.
    const session = this.#sessionId.slice(0, 8);
    const ms = Date.now() - startedAtMs;
    if (this.#lines.length === 0) this.#waitUntil(this.#writeSoon());
    this.#lines.push(JSON.stringify({ event: "call", session, method: shortened(method), name, outcome, ms, stream }));
  }

  async #writeSoon(): Promise<void> {
    await scheduler.wait(logAfterMs);
    for (const line of this.#lines.splice(0)) console.log(line);
  }
}

/** `undefined` for what is no name. */
function shortened(name: unknown): string | undefined {
  return typeof name === "string" ? name.slice(0, maxNameLength) : undefined;
}
