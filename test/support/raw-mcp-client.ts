import { initialize, postJson, RawStream } from "./raw-client.ts";

/** A session over Streamable HTTP, spoken to by hand. */
export class RawMcpClient {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly opened: Response;
  #lastId = 0;

  constructor(url: string, opened: Response, protocolVersion: string) {
    this.url = url;
    this.opened = opened;
    const sessionId = opened.headers.get("mcp-session-id") ?? "";
    this.headers = { "mcp-session-id": sessionId, "mcp-protocol-version": protocolVersion };
  }

  static async open(
    base: string,
    capabilities: Record<string, unknown> = {},
    version = "2025-11-25",
  ): Promise<RawMcpClient> {
    const opened = await postJson(`${base}/mcp`, initialize(capabilities, version));
    const client = new RawMcpClient(`${base}/mcp`, opened, version);
    await client.post({ jsonrpc: "2.0", method: "notifications/initialized" });
    return client;
  }

  get sessionId(): string {
    return this.headers["mcp-session-id"] ?? "";
  }

  post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return postJson(this.url, body, { ...this.headers, ...headers });
  }

  /** POSTs a `tools/call`; the response is JSON or a stream, as the server decides. */
  call(name: string, args: unknown = {}, meta?: unknown): Promise<Response> {
    const params = { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
    return this.post({ jsonrpc: "2.0", id: ++this.#lastId, method: "tools/call", params });
  }

  /** The same, read as an SSE stream that the test may cut. */
  async callAsStream(name: string, args: unknown = {}, meta?: unknown): Promise<RawStream> {
    const abort = new AbortController();
    const params = { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
    const response = await fetch(this.url, {
      method: "POST",
      headers: { ...this.headers, "content-type": "application/json", accept: "application/json, text/event-stream" },
      body: JSON.stringify({ jsonrpc: "2.0", id: ++this.#lastId, method: "tools/call", params }),
      signal: abort.signal,
    });
    return new RawStream(response, abort);
  }

  listen(lastEventId?: string): Promise<RawStream> {
    const resume: Record<string, string> = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    return RawStream.open(this.url, { headers: { ...this.headers, ...resume } });
  }
}
