import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { isResponse } from "../../protocol/json-rpc.ts";
import { toJson } from "../../protocol/message-json.ts";
import { eventStreamHeaders, messageFrame } from "../../protocol/sse-frame.ts";
import { utf8 } from "../../protocol/utf8.ts";

type State =
  /** Nothing was said yet: it may still be JSON as a whole. */
  { is: "undecided" } | { is: "events"; controller: ReadableStreamDefaultController<Uint8Array> } | { is: "over" };

/**
 * What a client is answered to its call: one message as JSON, or events if the tool says something before. Whatever comes
 * after the answer is not for it any more. What it has not read waits in the Worker, which keeps the stream open.
 *
 * Storage: none. Lifetime: until the call is answered, or has become a task.
 */
export class CallReply {
  readonly #response = Promise.withResolvers<Response>();
  readonly response = this.#response.promise;
  #state: State = { is: "undecided" };
  readonly #onCut: () => void;

  constructor(onCut: () => void) {
    this.#onCut = onCut;
  }

  get isOver(): boolean {
    return this.#state.is === "over";
  }

  say(message: JSONRPCMessage): void {
    const { is } = this.#state;
    if (is === "over") return;
    const json = toJson(message);
    if (is === "undecided" && isResponse(message)) {
      return this.respond(new Response(json, { headers: { "content-type": "application/json" } }));
    }
    if (is === "undecided") this.#begin();
    if (this.#state.is === "events") this.#state.controller.enqueue(utf8(messageFrame(json)));
    if (isResponse(message)) this.#end();
  }

  /** Answers with `response` as a whole, which is the answer, or how the SDK refused the request before there was a server. */
  respond(response: Response): void {
    this.#state = { is: "over" };
    this.#response.resolve(response);
  }

  #begin(): void {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#state = { is: "events", controller }),
      cancel: () => {
        this.#state = { is: "over" };
        this.#onCut();
      },
    });
    this.#response.resolve(new Response(body, { headers: eventStreamHeaders }));
  }

  #end(): void {
    if (this.#state.is === "events") this.#state.controller.close();
    this.#state = { is: "over" };
  }
}
