import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { isResponse } from "../../protocol/json-rpc.ts";
import { toJson } from "../../protocol/message-json.ts";
import { eventStreamHeaders } from "../../protocol/sse-frame.ts";

const encoder = new TextEncoder();

/**
 * What a client is answered to its call: one message as JSON, or events if the tool says something before. Whatever comes
 * after the answer is not for it any more.
 *
 * Storage: none. Lifetime: until the call is answered, or has become a task.
 */
export class CallReply {
  readonly #response = Promise.withResolvers<Response>();
  readonly response = this.#response.promise;
  #events: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isOver = false;
  readonly #onCut: () => void;

  constructor(onCut: () => void) {
    this.#onCut = onCut;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  say(message: JSONRPCMessage): void {
    if (this.#isOver) return;
    this.#isOver = isResponse(message);
    const json = toJson(message);
    if (this.#events === undefined && this.#isOver) {
      return this.#response.resolve(new Response(json, { headers: { "content-type": "application/json" } }));
    }
    this.#write(`event: message\ndata: ${json}\n\n`);
    if (this.#isOver) this.#events?.close();
  }

  /** A comment of the SDK's: it keeps a stream open. */
  comment(frame: string): void {
    if (!this.#isOver && this.#events !== undefined) this.#write(frame);
  }

  /** Answers with what is no message of the server's: the SDK refused the request before there was one. */
  refuse(response: Response): void {
    this.#isOver = true;
    this.#response.resolve(response);
  }

  #write(frame: string): void {
    if (this.#events === undefined) {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => void (this.#events = controller),
        cancel: () => {
          this.#isOver = true;
          this.#onCut();
        },
      });
      this.#response.resolve(new Response(body, { headers: eventStreamHeaders }));
    }
    this.#events?.enqueue(encoder.encode(frame));
  }
}
