import { dropOldest } from "../../protocol/drop-oldest.ts";
import type { PackedResponse, PostKey } from "../../link/link.ts";

/** Whether an answer to a POST is on its way. `told`: its frame says to the relay that the POST was accepted. */
export type AnswerState = "none" | "sent" | "told";

/** What became of a message: accepted, if there is no refusal. */
export interface Outcome {
  refusal: PackedResponse | undefined;
  answer: AnswerState;
}

/** What came over the WebSockets of one stream, where sequences count up without a gap. */
interface Heard {
  /** POSTs up to this sequence came to an earlier run of this object, if they came at all. */
  after: number;
  last: number;
  /** Sequences up to the last one that have not come. */
  missing: Set<number>;
  running: Map<number, Promise<Outcome>>;
  refused: Map<number, Outcome>;
}

/** Streams whose POSTs are remembered: a session has one, and those that it had just before. */
const maxStreams = 8;
/** Of each: refusals, and POSTs that did not come, which are remembered. Both are rare, and asked about within seconds. */
const maxExceptions = 1_000;

/**
 * Which POSTs came over their stream's WebSocket. One whose relay went away before it heard what became of it is asked
 * about once more, by a request of its own: then it must not run twice, and must not be lost if it never came.
 *
 * Storage: none. Lifetime: the object's time in memory. Loses: all, with the object: then nobody can say, and the client is
 * told so.
 */
export class Once {
  /** By the epoch of the stream. */
  readonly #heard = new Map<string, Heard>();

  /** A relay attached that has sent the POSTs up to `last` already, elsewhere. */
  expect(last: PostKey): void {
    if (!this.#heard.has(last.epoch)) this.#listen(last);
  }

  /** A POST came over its stream's WebSocket. */
  carried({ epoch, sequence }: PostKey, take: () => Promise<Outcome>): Promise<Outcome> {
    // The object slept since the relay attached, and an earlier run of it heard what was before.
    const heard = this.#heard.get(epoch) ?? this.#listen({ epoch, sequence: sequence - 1 });
    return takeOnce(sequence, heard, take);
  }

  /** A POST that may have come is asked about. `undefined`: it may have come to an earlier run of the object. */
  again({ epoch, sequence }: PostKey, take: () => Promise<Outcome>): Promise<Outcome> | undefined {
    const heard = this.#heard.get(epoch);
    return heard === undefined || sequence <= heard.after ? undefined : takeOnce(sequence, heard, take);
  }

  #listen({ epoch, sequence }: PostKey): Heard {
    const heard = {
      after: sequence,
      last: sequence,
      missing: new Set<number>(),
      running: new Map(),
      refused: new Map(),
    };
    this.#heard.set(epoch, heard);
    dropOldest(this.#heard, maxStreams);
    return heard;
  }
}

function takeOnce(sequence: number, heard: Heard, take: () => Promise<Outcome>): Promise<Outcome> {
  const { running, refused } = heard;
  if (!isNew(sequence, heard)) {
    // Of one that was accepted before, nobody knows any more whether it has an answer: as if it had.
    return running.get(sequence) ?? Promise.resolve(refused.get(sequence) ?? { refusal: undefined, answer: "sent" });
  }
  const outcome = take().then((taken) => {
    running.delete(sequence);
    if (taken.refusal !== undefined) refused.set(sequence, taken);
    dropOldest(refused, maxExceptions);
    return taken;
  });
  running.set(sequence, outcome);
  return outcome;
}

function isNew(sequence: number, heard: Heard): boolean {
  if (sequence <= heard.last) return heard.missing.delete(sequence);
  for (let missing = heard.last + 1; missing < sequence; missing++) heard.missing.add(missing);
  dropOldest(heard.missing, maxExceptions);
  heard.last = sequence;
  return true;
}
