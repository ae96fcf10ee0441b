import { request as httpRequest } from "node:http";
import { Readable } from "node:stream";

/** One event of an SSE stream, as the HTML Standard dispatches it. */
export interface SseEvent {
  event: string;
  data: string;
  id: string | undefined;
}

/**
 * An SSE stream read event by event, without a library between the test and the wire.
 * Everything that arrived is kept: `next` looks at what was not taken yet, then waits.
 */
export class RawStream {
  readonly events: SseEvent[] = [];
  readonly comments: string[] = [];
  readonly retries: number[] = [];
  lastEventId = "";
  /** Settles when the stream is over: "ended", or "broken" when the connection was. */
  readonly over: Promise<"ended" | "broken">;

  readonly response: Response;
  readonly #abort: AbortController;
  readonly #waiting: (() => void)[] = [];
  #isOver = false;

  constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.over = this.#read();
  }

  static async open(url: string, init: RequestInit = {}): Promise<RawStream> {
    const abort = new AbortController();
    const headers = { accept: "text/event-stream", ...(init.headers as Record<string, string>) };
    const response = await fetch(url, { ...init, headers, signal: abort.signal });
    return new RawStream(response, abort);
  }

  /** The next event that `wanted` accepts; earlier ones stay for other waits. */
  async next(wanted: (event: SseEvent) => boolean = () => true): Promise<SseEvent> {
    for (;;) {
      const at = this.events.findIndex(wanted);
      const [found] = at < 0 ? [] : this.events.splice(at, 1);
      if (found !== undefined) return found;
      if (this.#isOver) throw new Error("the stream is over and the event did not come");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The next JSON-RPC message that `wanted` accepts. */
  async message(wanted: (message: Record<string, unknown>) => boolean = () => true): Promise<Record<string, unknown>> {
    const isMessage = (event: SseEvent): boolean => event.event === "message" && event.data !== "";
    const event = await this.next((candidate) => isMessage(candidate) && wanted(JSON.parse(candidate.data)));
    return JSON.parse(event.data) as Record<string, unknown>;
  }

  answerTo(id: string | number): Promise<Record<string, unknown>> {
    return this.message((message) => message["id"] === id && !("method" in message));
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(): Promise<"ended" | "broken"> {
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for await (const chunk of this.response.body ?? []) {
        const blocks = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) this.#dispatch(block);
        for (const wake of this.#waiting.splice(0)) wake();
      }
      return "ended";
    } catch {
      return "broken";
    } finally {
      this.#isOver = true;
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }

  #dispatch(block: string): void {
    const data: string[] = [];
    let event = "message";
    let id: string | undefined;
    for (const line of block.split("\n")) {
      const colon = line.indexOf(":");
      const [field, value] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
      if (field === "") this.comments.push(value);
      if (field === "data") data.push(value);
      if (field === "event") event = value;
      if (field === "id") id = value;
      if (field === "retry") this.retries.push(Number(value));
    }
    if (id !== undefined) this.lastEventId = id;
    // An event without data sets the id and is not dispatched.
    if (data.join("\n") !== "") this.events.push({ event, data: data.join("\n"), id });
  }
}

export const initialize = (capabilities: Record<string, unknown> = {}, protocolVersion = "2025-11-25") => ({
  jsonrpc: "2.0" as const,
  id: "initialize",
  method: "initialize",
  params: { protocolVersion, capabilities, clientInfo: { name: "raw", version: "1" } },
});

/** Ends what the tool `hold` of `small-bounds.ts` holds. */
export const release = { jsonrpc: "2.0", method: "notifications/roots/list_changed" };

/** A session over HTTP+SSE, spoken to by hand. */
export class RawSseClient {
  stream: RawStream;
  readonly base: string;
  readonly endpoint: string;
  #lastId = 0;

  constructor(base: string, stream: RawStream, endpoint: string) {
    this.base = base;
    this.stream = stream;
    this.endpoint = endpoint;
  }

  static async connect(base: string, init: RequestInit = {}): Promise<RawSseClient> {
    const stream = await RawStream.open(`${base}/sse`, init);
    const { data } = await stream.next((event) => event.event === "endpoint");
    return new RawSseClient(base, stream, new URL(data, base).href);
  }

  /** Connects and initializes. */
  static async open(base: string, capabilities: Record<string, unknown> = {}): Promise<RawSseClient> {
    const client = await RawSseClient.connect(base);
    await client.initialize(capabilities);
    return client;
  }

  get sessionId(): string {
    return new URL(this.endpoint).searchParams.get("sessionId") ?? "";
  }

  async initialize(capabilities: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    await this.post(initialize(capabilities));
    const answer = await this.stream.answerTo("initialize");
    await this.post({ jsonrpc: "2.0", method: "notifications/initialized" });
    return answer;
  }

  post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return postJson(this.endpoint, body, headers);
  }

  /** Sends a request without waiting for its answer, and returns its id. */
  async send(method: string, params?: unknown): Promise<number> {
    const id = ++this.#lastId;
    const response = await this.post({ jsonrpc: "2.0", id, method, params });
    if (response.status !== 202) throw new Error(`${method} was answered ${response.status}: ${await response.text()}`);
    return id;
  }

  async request(method: string, params?: unknown): Promise<Record<string, unknown>> {
    return this.stream.answerTo(await this.send(method, params));
  }

  call(name: string, args: unknown = {}, meta?: unknown): Promise<Record<string, unknown>> {
    return this.request("tools/call", { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) });
  }

  /** A call of `small-bounds.ts` that is in flight until `release`; its id. */
  hold(): Promise<number> {
    return this.send("tools/call", { name: "hold", arguments: {} });
  }

  /** Has what is held answered, with "released", and whatever is to be held from now on. */
  async release(): Promise<void> {
    await this.post(release);
  }

  /** Comes back after a cut as a compliant EventSource does. */
  async resume(): Promise<void> {
    this.stream.close();
    this.stream = await RawStream.open(`${this.base}/sse`, { headers: { "last-event-id": this.stream.lastEventId } });
  }

  close(): void {
    this.stream.close();
  }
}

export function postJson(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/**
 * Opens a stream as a TypeScript client does that had one before, and reads the ping that asks for its old session:
 * uncached, it sends its revision on every GET but the first, and no `Last-Event-ID`.
 */
export async function reconnect(
  base: string,
  path = "/sse",
): Promise<{ stream: RawStream; ping: Record<string, unknown> }> {
  const headers = { "mcp-protocol-version": "2025-11-25" };
  const stream = await RawStream.open(base + path, { headers, cache: "no-store" });
  const ping = await stream.message((message) => message["method"] === "ping");
  return { stream, ping };
}

export interface BareRequest {
  /** GET, or POST if there is a body. */
  method?: string;
  headers: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
}

/** A request with these headers and no others besides `host`: `fetch` adds some, by which its clients are known. */
export function bareFetch(url: string, { method, headers, body, signal }: BareRequest): Promise<Response> {
  return new Promise((resolve, reject) => {
    const usual = body === undefined ? "GET" : "POST";
    const request = httpRequest(url, { method: method ?? usual, headers, agent: false, ...(signal && { signal }) });
    request.on("response", (incoming) => {
      const { statusCode: status = 0, headers: fields } = incoming;
      const isEmpty = status === 204 || method === "HEAD";
      // Node's own types of what is one class know nothing of each other.
      const content = isEmpty ? null : (Readable.toWeb(incoming) as unknown as ReadableStream);
      resolve(new Response(content, { status, headers: fields as Record<string, string> }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** A stream opened so. */
export async function openBare(url: string, request: BareRequest): Promise<RawStream> {
  const abort = new AbortController();
  return new RawStream(await bareFetch(url, { ...request, signal: abort.signal }), abort);
}

/** The text of a tool's result. */
export function textOf(answer: Record<string, unknown>): string {
  const result = answer["result"] as { content?: { text?: string }[] } | undefined;
  return result?.content?.[0]?.text ?? JSON.stringify(answer);
}
