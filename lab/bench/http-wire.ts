import { connect, type Socket } from "node:net";

/** The head of an HTTP response, and what of its body came with it. */
interface Head {
  status: number;
  headers: Map<string, string>;
}

export interface WireResponse extends Head {
  body: string;
}

const headEnd = "\r\n\r\n";

/**
 * One keep-alive HTTP/1.1 connection, spoken to by hand: a client that did more would hide the server's time behind its
 * own. Bytes are read as latin1, because what is looked for is ASCII. One request at a time.
 */
export class WireConnection {
  /** Resolves when it is closed and all that arrived before was read. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #onText: (text: string) => void = () => undefined;
  #onClose: (error: Error) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding("latin1");
    socket.on("data", (text: string) => this.#onText(text));
    socket.on("error", (error) => this.#onClose(error));
    socket.on("close", () => this.#onClose(new Error("the server closed the connection")));
    this.closed = new Promise((resolve) => socket.on("close", () => resolve()));
  }

  static open(port: number): Promise<WireConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(new WireConnection(socket)));
      socket.once("error", reject);
    });
  }

  get isClosed(): boolean {
    return this.#socket.destroyed || this.#socket.readyState !== "open";
  }

  /** Sends a request and reads its whole answer. */
  request(head: string, body: string): Promise<WireResponse> {
    return new Promise((resolve, reject) => {
      let text = "";
      const response = new ResponseReader((part) => (text += part));
      this.#onClose = reject;
      this.#onText = (arrived) => {
        if (response.read(arrived)) resolve({ ...response.head, body: text });
      };
      this.#write(head, body);
    });
  }

  /** Sends a request whose answer does not end, and hands over its body as it arrives. Resolves with its head. */
  stream(head: string, onBody: (text: string) => void): Promise<Head> {
    return new Promise((resolve, reject) => {
      const response = new ResponseReader(onBody);
      this.#onClose = reject;
      this.#onText = (arrived) => {
        response.read(arrived);
        if (response.hasHead) resolve(response.head);
      };
      this.#write(head, "");
    });
  }

  close(): void {
    this.#onClose = () => undefined;
    // Noticed at once, and not at the next keep-alive, when something else may be measured.
    this.#socket.resetAndDestroy();
  }

  #write(head: string, body: string): void {
    const length = body === "" ? "" : `content-length: ${Buffer.byteLength(body)}\r\n`;
    this.#socket.write(`${head}${length}\r\n${body}`);
  }
}

/** Takes an HTTP/1.1 response apart as it arrives (RFC 9112): head, then a body by length or by chunks. */
class ResponseReader {
  readonly head: Head = { status: 0, headers: new Map() };
  hasHead = false;
  readonly #onBody: (text: string) => void;
  #rest = "";
  /** What is left of the body, or of the chunk that is being read. */
  #left = 0;
  #isChunked = false;

  constructor(onBody: (text: string) => void) {
    this.#onBody = onBody;
  }

  /** True once the response is complete. */
  read(arrived: string): boolean {
    if (this.hasHead) return this.#isChunked ? this.#readChunks(arrived) : this.#readLength(arrived);
    this.#rest += arrived;
    const end = this.#rest.indexOf(headEnd);
    if (end < 0) return false;
    const body = this.#rest.slice(end + headEnd.length);
    this.#readHead(this.#rest.slice(0, end));
    this.#rest = "";
    return this.#isChunked ? this.#readChunks(body) : this.#readLength(body);
  }

  #readHead(text: string): void {
    const [start = "", ...lines] = text.split("\r\n");
    this.head.status = Number(start.slice(9, 12));
    for (const line of lines) {
      const colon = line.indexOf(":");
      this.head.headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    this.hasHead = true;
    this.#isChunked = this.head.headers.get("transfer-encoding") === "chunked";
    this.#left = Number(this.head.headers.get("content-length") ?? 0);
  }

  #readLength(text: string): boolean {
    if (text !== "") this.#onBody(text);
    this.#left -= text.length;
    return this.#left <= 0;
  }

  #readChunks(arrived: string): boolean {
    let text = this.#rest + arrived;
    this.#rest = "";
    for (;;) {
      if (this.#left > 0) {
        const part = text.slice(0, this.#left);
        if (part !== "") this.#onBody(part);
        this.#left -= part.length;
        text = text.slice(part.length);
        if (this.#left > 0) return false;
      }
      // Between chunks: the line break that ends the last one, and the size of the next.
      const sizeLine = /^(?:\r\n)?([0-9a-f]+)\r\n/i.exec(text);
      if (sizeLine === null) {
        this.#rest = text;
        return false;
      }
      text = text.slice(sizeLine[0].length);
      this.#left = Number.parseInt(sizeLine[1] ?? "", 16);
      if (this.#left === 0) return true;
    }
  }
}
