import type { JSONRPCMessage, McpServer, Transport } from "@modelcontextprotocol/server";
import { BareSession, bareWorker, type Message } from "./bare-hops.ts";
import { createEchoServer } from "./echo-server.ts";

/** The limit for whoever runs the SDK: the same hops, the same server, and nothing between them. */
export class Session extends BareSession {
  readonly #waiting = new Map<unknown, (answer: string) => void>();
  readonly #transport: Transport = {
    start: () => Promise.resolve(),
    close: () => Promise.resolve(),
    send: async (message: JSONRPCMessage) => {
      if ("method" in message) return this.emit(JSON.stringify(message));
      if (!("id" in message)) return;
      this.#waiting.get(message.id)?.(JSON.stringify(message));
      this.#waiting.delete(message.id);
    },
  };
  #server: McpServer | undefined;

  override async answerTo(message: Message): Promise<string | undefined> {
    if (this.#server === undefined) {
      this.#server = createEchoServer();
      await this.#server.connect(this.#transport);
      // After hibernation it is a new server, which its client will not initialize again. It answers calls all the same.
    }
    const { id } = message;
    const answer = id === undefined ? undefined : new Promise<string>((resolve) => this.#waiting.set(id, resolve));
    this.#transport.onmessage?.(message as JSONRPCMessage);
    return answer;
  }
}

export default bareWorker;
