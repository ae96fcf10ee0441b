import type { Readable, Writable } from "node:stream";
import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import { toJson } from "../protocol/message-json.ts";

/** stdin and stdout, or what takes their place, as lines of JSON that every client can read (MCP, transports: stdio). */
export class StdioLines extends StdioServerTransport {
  readonly #output: Writable;

  constructor(input: Readable, output: Writable) {
    super(input, output);
    this.#output = output;
  }

  /** Resolves once `message` is written. */
  override async send(message: JSONRPCMessage): Promise<void> {
    const json = toJson(message);
    await new Promise<void>((resolve, reject) => {
      this.#output.write(`${json}\n`, (error?: Error | null) => (error ? reject(error) : resolve()));
    });
  }
}
