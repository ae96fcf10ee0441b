import { initialize, postJson, RawStream } from "../../test/support/raw-client.ts";

interface Pending {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

/** What the server has said of where to POST, and of how to come back. */
interface Return {
  endpoint: string;
  lastEventId: string;
  retryMs: number;
}

type Connection = { is: "connecting" } | { is: "open"; stream: RawStream } | { is: "closed" };

/**
 * A client that reconnects as the HTML Standard says: after `retry:`, with `Last-Event-ID`. It takes each message as it
 * comes, and counts those it had before.
 */
export class EventSourceClient {
  duplicates = 0;
  readonly #base: string;
  readonly #pending = new Map<unknown, Pending>();
  readonly #answered = new Set<unknown>();
  #told: Return = { endpoint: "", lastEventId: "", retryMs: 3_000 };
  #lastId = 0;
  #connection: Connection = { is: "connecting" };

  readonly #headers: Record<string, string>;

  private constructor(base: string, headers: Record<string, string>) {
    this.#base = base;
    this.#headers = headers;
  }

  static async connect(base: string, headers: Record<string, string> = {}): Promise<EventSourceClient> {
    const client = new EventSourceClient(base, headers);
    const connected = new Promise<void>((resolve, reject) => void client.#run(resolve).catch(reject));
    await connected;
    const answer = client.#expect("initialize", 30_000);
    await client.#post(initialize({ elicitation: {} }));
    await answer;
    await client.#post({ jsonrpc: "2.0", method: "notifications/initialized" });
    return client;
  }

  async request(method: string, params: unknown, timeoutMs: number): Promise<unknown> {
    const id = ++this.#lastId;
    const answer = this.#expect(id, timeoutMs);
    // The rejection reaches the caller by `answer` or by the POST, whichever is first.
    answer.catch(() => undefined);
    await this.#post({ jsonrpc: "2.0", id, method, params }).catch((error: Error) =>
      this.#pending.get(id)?.reject(error),
    );
    return await answer;
  }

  close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = { is: "closed" };
    if (connection.is === "open") connection.stream.close();
    return Promise.resolve();
  }

  #expect(id: unknown, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("Request timed out")), timeoutMs);
      const settle = (): void => {
        clearTimeout(timer);
        this.#pending.delete(id);
      };
      this.#pending.set(id, {
        resolve: (result) => (settle(), resolve(result)),
        reject: (error) => (settle(), reject(error)),
      });
    });
  }

  async #post(message: unknown): Promise<void> {
    const response = await postJson(this.#told.endpoint, message, this.#headers);
    if (!response.ok) throw new Error(`POST was answered ${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
  }

  async #run(onConnected: () => void): Promise<void> {
    while (this.#connection.is !== "closed") {
      const headers = { ...this.#headers };
      const { lastEventId } = this.#told;
      if (lastEventId !== "") headers["last-event-id"] = lastEventId;
      const stream = await RawStream.open(`${this.#base}/sse`, { headers }).catch(() => undefined);
      if (stream !== undefined) await this.#read(stream, onConnected);
      await new Promise((resolve) => setTimeout(resolve, this.#told.retryMs));
    }
  }

  async #read(stream: RawStream, onConnected: () => void): Promise<void> {
    // It was closed while the stream was opened.
    if (this.#connection.is === "closed") return stream.close();
    this.#connection = { is: "open", stream };
    for (;;) {
      const event = await stream.next().catch(() => undefined);
      const { lastEventId, retryMs } = this.#told;
      this.#told = { ...this.#told, retryMs: stream.retries.at(-1) ?? retryMs, lastEventId: event?.id ?? lastEventId };
      if (event === undefined) return;
      if (event.event === "endpoint") {
        this.#told = { ...this.#told, endpoint: new URL(event.data, this.#base).href };
        onConnected();
      } else {
        this.#receive(JSON.parse(event.data) as Record<string, unknown>);
      }
    }
  }

  #receive(message: Record<string, unknown>): void {
    const { id, method } = message;
    if (method === "elicitation/create") {
      const { message: asked } = message["params"] as { message: string };
      const result = { action: "accept", content: { n: asked } };
      // Cut or refused: the server asks again, or refuses the call.
      void this.#post({ jsonrpc: "2.0", id, result }).catch(() => undefined);
      return;
    }
    if (method !== undefined) {
      if (id !== undefined) void this.#post({ jsonrpc: "2.0", id, result: {} }).catch(() => undefined);
      return;
    }
    if (this.#answered.has(id)) this.duplicates += 1;
    this.#answered.add(id);
    // A call whose POST failed may be answered all the same.
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if ("error" in message) pending.reject(new Error((message["error"] as { message: string }).message));
    else pending.resolve(message["result"]);
  }
}
