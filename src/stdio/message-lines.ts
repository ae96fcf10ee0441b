import { Transform, type TransformCallback, type Writable } from "node:stream";
import { errorCode } from "../protocol/refuse.ts";
import { isObject, parseBody } from "../protocol/json-rpc.ts";
import { toJson } from "../protocol/message-json.ts";

/** The longest line that is read, bytes: that of the SDK, which closes the connection at a longer one. */
const maxLineBytes = 10 * 1024 * 1024 - 1;

const newline = 0x0a;

/**
 * stdin, of which only messages go on to the SDK, each in a line of its own. That one drops what is no message without a word,
 * and whoever sent it waits for ever: here it is answered as over HTTP (JSON-RPC 2.0, section 5.1). A batch (revision
 * 2025-03-26) goes on as the messages that it holds.
 */
export class MessageLines extends Transform {
  readonly #output: Writable;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(output: Writable) {
    super();
    this.#output = output;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let begin = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, begin)) {
      this.#add(chunk.subarray(begin, end));
      this.#endLine();
      begin = end + 1;
    }
    this.#add(chunk.subarray(begin));
    done();
  }

  /** A last line may have no end of its own. */
  override _flush(done: TransformCallback): void {
    this.#endLine();
    done();
  }

  #add(part: Buffer): void {
    this.#length += part.byteLength;
    // Of a line that is too long nothing is kept: it is answered at its end.
    if (this.#length > maxLineBytes) this.#parts = [];
    else this.#parts.push(part);
  }

  #endLine(): void {
    const isTooLong = this.#length > maxLineBytes;
    const line = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    if (isTooLong) return this.#refuse("Invalid Request", `a line holds at most ${maxLineBytes} bytes`, null);
    // Some shells begin what they send with a byte order mark.
    const text = new TextDecoder().decode(line).trim();
    if (text === "") return;
    const parsed = parseBody(text);
    if (parsed.ok) for (const message of parsed.messages) this.push(`${JSON.stringify(message)}\n`);
    else if (parsed.reason === "not-json") this.#refuse("Parse error", "a line is one JSON-RPC 2.0 message", null);
    else if (mayWait(JSON.parse(text))) this.#refuse("Invalid Request", parsed.detail, parsed.id);
    else console.error(`A line is no message, and nobody waits for an answer to it: ${parsed.detail}.`);
  }

  #refuse(what: "Parse error" | "Invalid Request", why: string, id: string | number | null): void {
    const code = what === "Parse error" ? errorCode.parseError : errorCode.invalidRequest;
    const message = `${what}: ${why}.`;
    console.error(message);
    this.#output.write(`${toJson({ jsonrpc: "2.0", error: { code, message }, id })}\n`);
  }
}

/** What has no method is an answer: that to one which nobody can read would go back and forth for ever. */
function mayWait(value: unknown): boolean {
  return !isObject(value) || "method" in value;
}
