import { type Refusal, streamOfKey } from "./link.ts";

/** Whether an answer to a POST is on its way. `told`: its frame says to the relay that the POST was accepted. */
export type AnswerState = "none" | "sent" | "told";

/** What became of a message: accepted, if there is no refusal. */
export interface Outcome {
  refusal: Refusal | undefined;
  answer: AnswerState;
}

/** What came over the WebSocket of a stream, where keys count up without a gap. */
interface Heard {
  /** What came up to this key came to an earlier run of this object, if it came. */
  after: number;
  last: number;
}

/** Streams whose POSTs are remembered: a session has one, and those that it had just before. */
const maxStreams = 8;
/** Refusals, and POSTs that did not come, which are remembered: both are rare, and asked about within seconds. */
const maxExceptions = 1_000;

/**
 * Which POSTs came over their stream's WebSocket. One whose relay went away before it heard what became of it is asked
 * about once more, by a request of its own: then it must not run twice, and must not be lost if it never came.
 *
 * Storage: none. Lifetime: the object's time in memory. Loses: all, with the object: then nobody can say, and the client is
 * told so.
 */
export class Arrivals {
  readonly #heard = new Map<number, Heard>();
  /** Keys up to the last one that have not come. */
  readonly #missing = new Set<number>();
  readonly #running = new Map<number, Promise<Outcome>>();
  readonly #refused = new Map<number, Outcome>();

  /** A relay attached that has sent the POSTs up to `last` already, elsewhere. */
  expect(last: number): void {
    const stream = streamOfKey(last);
    if (!this.#heard.has(stream)) this.#listen(stream, last);
  }

  /** A POST came over its stream's WebSocket. */
  carried(key: number, take: () => Promise<Outcome>): Promise<Outcome> {
    const stream = streamOfKey(key);
    // The object slept since the relay attached, and an earlier run of it heard what was before.
    const heard = this.#heard.get(stream) ?? this.#listen(stream, key - 1);
    return this.#takeOnce(key, heard, take);
  }

  /** A POST that may have come is asked about. `undefined`: it may have come to an earlier run of the object. */
  again(key: number, take: () => Promise<Outcome>): Promise<Outcome> | undefined {
    const heard = this.#heard.get(streamOfKey(key));
    return heard === undefined || key <= heard.after ? undefined : this.#takeOnce(key, heard, take);
  }

  #listen(stream: number, last: number): Heard {
    const heard = { after: last, last };
    this.#heard.set(stream, heard);
    dropOldest(this.#heard, maxStreams);
    return heard;
  }

  #takeOnce(key: number, heard: Heard, take: () => Promise<Outcome>): Promise<Outcome> {
    if (!this.#isNew(key, heard)) {
      // Of one that was accepted before, nobody knows any more whether it has an answer: as if it had.
      return (
        this.#running.get(key) ?? Promise.resolve(this.#refused.get(key) ?? { refusal: undefined, answer: "sent" })
      );
    }
    const running = take().then((outcome) => {
      this.#running.delete(key);
      if (outcome.refusal !== undefined) this.#refused.set(key, outcome);
      dropOldest(this.#refused, maxExceptions);
      return outcome;
    });
    this.#running.set(key, running);
    return running;
  }

  #isNew(key: number, heard: Heard): boolean {
    if (key <= heard.last) return this.#missing.delete(key);
    for (let missing = heard.last + 1; missing < key; missing++) this.#missing.add(missing);
    dropOldest(this.#missing, maxExceptions);
    heard.last = key;
    return true;
  }
}

function dropOldest(from: Map<number, unknown> | Set<number>, max: number): void {
  for (const key of from.keys()) {
    if (from.size <= max) return;
    from.delete(key);
  }
}
