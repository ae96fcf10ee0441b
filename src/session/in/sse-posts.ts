import { parseBody } from "../../protocol/json-rpc.ts";
import * as refusals from "../../protocol/refusals.ts";
import { Once, type Outcome } from "./once.ts";
import * as link from "../../link/link.ts";
import type { Admission, TakenPost } from "./admission.ts";

/**
 * How the messages of an HTTP+SSE session arrive: over the WebSocket of its stream, or each by a request of its own; and
 * how those who brought them learn what became of them.
 *
 * Storage: none. Lifetime: the object's time in memory.
 */
export class SsePosts {
  readonly #admission: Admission;
  readonly #once = new Once();
  /** The last request that was carried, without its body. The next one of a client differs in nothing else. */
  #carried: { head: string; request: Request } | undefined;

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  /** A relay attached that has sent the POSTs up to this key already. */
  expect(lastKey: link.PostKey): void {
    this.#once.expect(lastKey);
  }

  /** By a request of its own. */
  async byRequest(request: Request): Promise<Response> {
    if (!this.#admission.exists("sse", request)) return refusals.unknownSession();
    const read = await this.#admission.read(request);
    return read.ok ? this.#respond(await this.#take(request, read.text)) : read.refusal;
  }

  /** By a request of its own, and perhaps over the WebSocket before: the relay went away before it heard. */
  async again(key: link.PostKey, request: Request): Promise<Response> {
    // Before anything is said of a POST that another client sent.
    if (!this.#admission.exists("sse", request)) return refusals.unknownSession();
    const read = await this.#admission.read(request);
    if (!read.ok) return read.refusal;
    const { text } = read;
    const take = (): Promise<Outcome> => this.#take(request, text);
    // An earlier run of the object may have had it. Only a request must not run twice: an answer, above all one that claims
    // the session, is ignored the second time.
    const outcome = this.#once.again(key, take) ?? (hasRequest(text) ? undefined : take());
    return outcome === undefined ? refusals.interrupted(null) : this.#respond(await outcome);
  }

  /** Over `socket`. */
  async bySocket(socket: WebSocket, { key, head, text }: link.CarriedPost): Promise<void> {
    if (this.#carried?.head !== head) this.#carried = { head, request: link.requestWith(head) };
    const { request } = this.#carried;
    const { refusal, answer } = await this.#once.carried(key, () =>
      this.#take(request, text, { socket, sequence: key.sequence }),
    );
    if (answer === "told") return;
    try {
      const { sequence } = key;
      socket.send(link.formatFromObject({ is: "receipt", sequence, refusal, isAnswered: answer === "sent" }));
    } catch {
      // The relay is gone. Its POST comes again.
    }
  }

  async #take(request: Request, text: string, by?: link.CarriedBy): Promise<Outcome> {
    let taken: TakenPost;
    try {
      taken = await this.#admission.toSse(request, text, by);
    } catch (error) {
      taken = { refusal: refusals.incident(error), answer: "none" };
    }
    const { refusal, answer } = taken;
    return { refusal: refusal && (await link.packResponse(refusal)), answer };
  }

  async #respond({ refusal, answer }: Outcome): Promise<Response> {
    if (refusal !== undefined) return link.unpackResponse(refusal);
    if (answer !== "none") await link.afterwards();
    return new Response(null, { status: 202 });
  }
}

function hasRequest(text: string): boolean {
  const parsed = parseBody(text);
  return parsed.ok && parsed.requests.length > 0;
}
