import { WireConnection, type WireResponse } from "./http-wire.ts";

/** An open MCP session of a contestant. Latencies are milliseconds from the request to its parsed answer. */
export interface BenchSession {
  initialize(): Promise<number>;
  call(tool: string, args: Record<string, unknown>): Promise<number>;
  /** The same of a call that reports progress, and when its first part is there. */
  callInParts(tool: string, args: Record<string, unknown>): Promise<{ firstMs: number; ms: number }>;
  /** `tools/list`. */
  list(): Promise<number>;
  /** Gives back the connection of its POSTs until the next one: thousands of sessions leave no file descriptors. */
  rest(): void;
  close(): void;
}

/** A bound on hanging: a contestant that loses an answer ends the run with its name. */
const answerMs = 30_000;

/** What `add` is called with where it does not matter. */
export const addends = { a: 25, b: 25 };

const handshake = {
  protocolVersion: "2025-06-18",
  capabilities: {},
  clientInfo: { name: "bench", version: "1.0.0" },
};

/** How a session's messages leave: resolves with the latency once the answer to `id` is there. */
type Send = (message: Record<string, unknown>, id: number | undefined) => Promise<number>;

interface SessionWays extends Pick<BenchSession, "rest" | "close"> {
  /** Calls `then` at the next event. */
  onNextEvent: (then: () => void) => void;
}

function sessionOver(send: Send, { rest, close, onNextEvent }: SessionWays): BenchSession {
  let lastId = 0;
  const request = (method: string, params: Record<string, unknown>): Promise<number> => {
    const id = ++lastId;
    return send({ jsonrpc: "2.0", id, method, params }, id);
  };
  return {
    async initialize() {
      const ms = await request("initialize", handshake);
      await send({ jsonrpc: "2.0", method: "notifications/initialized" }, undefined);
      return ms;
    },
    list: () => request("tools/list", {}),
    call: (name, args) => request("tools/call", { name, arguments: args }),
    async callInParts(name, args) {
      const startedAt = performance.now();
      let firstMs = Number.NaN;
      onNextEvent(() => (firstMs = performance.now() - startedAt));
      const ms = await request("tools/call", { name, arguments: args, _meta: { progressToken: lastId + 1 } });
      return { firstMs, ms };
    },
    rest,
    close,
  };
}

/**
 * The connections of a session's POSTs. An HTTP/1.1 connection carries one request at a time, and the official SDK's
 * client goes on when it has the answer, which may be before the POST itself is answered: then it takes another one.
 */
class PostConnections {
  readonly #port: number;
  readonly #idle: WireConnection[] = [];
  #isResting = false;

  constructor(port: number) {
    this.#port = port;
  }

  async take(): Promise<WireConnection> {
    this.#isResting = false;
    // Most servers close a connection that was quiet for five seconds.
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) if (!idle.isClosed) return idle;
    return await WireConnection.open(this.#port);
  }

  giveBack(connection: WireConnection): void {
    if (this.#isResting) connection.close();
    else this.#idle.push(connection);
  }

  /** Until the next POST there is none. */
  rest(): void {
    this.#isResting = true;
    for (const connection of this.#idle.splice(0)) connection.close();
  }
}

/** A stream that has its `endpoint`: an HTTP+SSE session before `initialize`. `headers` are those of all its requests. */
export async function openSse(
  port: number,
  headers: Record<string, string> = {},
): Promise<BenchSession & { openedInMs: number }> {
  const stream = await WireConnection.open(port);
  const posts = new PostConnections(port);
  const waiting = new Map<number, () => void>();
  let endpoint = "";
  let onNextEvent: (() => void) | undefined;
  let opened = (): void => undefined;
  const hasEndpoint = new Promise<void>((resolve) => (opened = resolve));
  const events = new EventReader((block) => {
    if (endpoint === "") {
      endpoint = /^data: *(\S+)/m.exec(block)?.[1] ?? "";
      return opened();
    }
    onNextEvent?.();
    onNextEvent = undefined;
    const id = answerIdOf(block);
    if (id !== undefined) waiting.get(id)?.();
  });
  const startedAt = performance.now();
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const getHead = `GET /sse HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: text/event-stream\r\n${more.join("")}`;
  const { status } = await stream.stream(getHead, (text) => events.read(text));
  if (status !== 200) throw new Error(`GET /sse was answered ${status}`);
  await hasEndpoint;
  const openedInMs = performance.now() - startedAt;

  const head = postHead(port, endpoint) + more.join("");
  const send: Send = async (message, id) => {
    const connection = await posts.take();
    const sentAt = performance.now();
    return await new Promise<number>((resolve, reject) => {
      const done = (): void => resolve(performance.now() - sentAt);
      if (id !== undefined) {
        const tooLate = setTimeout(() => reject(new Error(`no answer to ${JSON.stringify(message)}`)), answerMs);
        waiting.set(id, () => {
          clearTimeout(tooLate);
          waiting.delete(id);
          done();
        });
      }
      const accept = (response: WireResponse): void => {
        requireAccepted(response);
        posts.giveBack(connection);
        if (id === undefined) done();
      };
      connection.request(head, JSON.stringify(message)).then(accept).catch(reject);
    });
  };
  const rest = (): void => posts.rest();
  const close = (): void => {
    stream.close();
    posts.rest();
  };
  const ways = { rest, close, onNextEvent: (then: () => void) => (onNextEvent = then) };
  return { ...sessionOver(send, ways), openedInMs };
}

/** A Streamable HTTP session before `initialize`, which is what opens it. */
export function openStreamable(port: number): BenchSession {
  const posts = new PostConnections(port);
  let head = postHead(port, "/mcp");
  const send: Send = async (message, id) => {
    const connection = await posts.take();
    const sentAt = performance.now();
    const response = await connection.request(head, JSON.stringify(message));
    requireAccepted(response);
    posts.giveBack(connection);
    if (id !== undefined && answerIdOf(response.body) !== id) throw new Error(`no answer in ${response.body}`);
    const sessionId = response.headers.get("mcp-session-id");
    if (message["method"] === "initialize" && sessionId !== undefined) {
      head = `${postHead(port, "/mcp")}mcp-session-id: ${sessionId}\r\nmcp-protocol-version: 2025-06-18\r\n`;
    }
    return performance.now() - sentAt;
  };
  const rest = (): void => posts.rest();
  // Its answers are whole.
  return sessionOver(send, { rest, close: rest, onNextEvent: () => undefined });
}

function postHead(port: number, path: string): string {
  const accept = "application/json, text/event-stream";
  return `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\naccept: ${accept}\r\n`;
}

function requireAccepted({ status, body }: WireResponse): void {
  if (status !== 200 && status !== 202) throw new Error(`a POST was answered ${status}: ${body.slice(0, 200)}`);
}

/**
 * The id of the answer in an event, undefined for what the server says or asks by itself.
 * Servers write it first or last, and what lies between may be a megabyte.
 */
function answerIdOf(block: string): number | undefined {
  const ends = block.length > 1_000 ? block.slice(0, 500) + block.slice(-500) : block;
  if (ends.includes('"method":')) return undefined;
  if (ends.includes('"error":')) throw new Error(`a call failed: ${ends}`);
  const digits = /"id": ?(\d+)/.exec(ends)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Cuts an SSE stream into its blocks; some servers end lines by CRLF. */
class EventReader {
  readonly #onBlock: (block: string) => void;
  #parts: string[] = [];
  /** The last characters before what arrives next: the end of a block may be cut in two. */
  #seam = "";

  constructor(onBlock: (block: string) => void) {
    this.#onBlock = onBlock;
  }

  read(text: string): void {
    const seam = this.#seam + text;
    this.#parts.push(text);
    this.#seam = seam.slice(-3);
    if (!seam.includes("\n\n") && !seam.includes("\r\n\r\n")) return;
    const blocks = this.#parts.join("").split(/\r\n\r\n|\n\n/);
    this.#parts = [blocks.pop() ?? ""];
    for (const block of blocks) if (!block.startsWith(":")) this.#onBlock(block);
  }
}
